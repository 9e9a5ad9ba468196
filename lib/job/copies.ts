/*
 * One process may load this package more than once: its ES modules and its CommonJS build, or two versions of it. Each
 * copy has classes and variables of its own. What must be the same for all of them is kept here under global symbols.
 */
const PACKAGE = 'nestjs-typeorm-jobs';
const BRAND = Symbol('brand');

/**
 * Lets `instanceof` recognise the instances that another copy of this package has made. Subclasses inherit the brand;
 * `instanceof` a subclass without a brand of its own works as always.
 *
 * @param name the same in every copy, and in minified builds; see `brandOf`
 */
export function branded(name: string): ClassDecorator {
  const brand = Symbol.for(`${PACKAGE}:${name}`);
  return (target) => {
    Object.defineProperty(target, BRAND, { value: name });
    Object.defineProperty(target.prototype, brand, { value: true });
    Object.defineProperty(target, Symbol.hasInstance, {
      value(this: typeof target, value: unknown): boolean {
        if (this !== target) return Function.prototype[Symbol.hasInstance].call(this, value);
        return typeof value === 'object' && value !== null && has(value, brand);
      },
    });
  };
}

/** The name under which a class was branded. Minifiers change the class's own name. Undefined for subclasses of users. */
export function brandOf(type: object): string | undefined {
  return Object.hasOwn(type, BRAND) ? (type as { [BRAND]?: string })[BRAND] : undefined;
}

function has(object: object, key: symbol): boolean {
  try {
    return key in object;
  } catch {
    return false; // a revoked proxy
  }
}

/** A value that all copies share: the first copy makes it, and the others find it. */
export function sharedByCopies<Value>(name: string, make: () => Value): Value {
  const key = Symbol.for(`${PACKAGE}:${name}`);
  const values = globalThis as unknown as Record<symbol, Value | undefined>;
  return (values[key] ??= make());
}
