import { InvalidHandlerError } from '../../job/application-errors.js';

/** Decorated parameters may be anything, in any order. */
export type AnyMethod = (...args: never[]) => unknown;

/** A decorator of methods of this type. */
export type MethodDecorator<Method> = <T extends Method>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/**
 * The method that a decorator stands on. Nest calls methods of instances, and finds them by name.
 * @throws InvalidHandlerError
 */
export function requireMethod(
  decorator: string,
  target: object | undefined,
  key: string | symbol | object | undefined,
  descriptor: Pick<PropertyDescriptor, 'value' | 'get'> | undefined,
): { readonly method: string; readonly run: AnyMethod } {
  const refuse = (where: string, problem: string) => new InvalidHandlerError(where, problem, decorator);
  if (typeof key === 'object') {
    const { name } = key as { readonly name?: unknown };
    throw refuse(
      String(name),
      'is decorated in the way of ECMAScript, which Nest does not support. Set "experimentalDecorators": true in tsconfig.json',
    );
  }
  if (target === undefined || key === undefined) {
    const name = typeof target === 'function' ? target.name : 'This';
    throw refuse(name, 'is no method. Move the decorator to a method of the class');
  }
  if (typeof target === 'function') {
    throw refuse(
      `${target.name}.${String(key)}`,
      'is static, and Nest calls methods of instances. Remove "static"',
    );
  }
  const where = `${target.constructor.name}.${String(key)}`;
  if (typeof key !== 'string')
    throw refuse(where, 'is named by a symbol, and Nest finds methods by text. Give it a name');
  const run: unknown = descriptor?.value;
  if (typeof run === 'function') return { method: key, run: run as AnyMethod };
  const what = descriptor?.get === undefined ? 'a property' : 'a getter';
  throw refuse(where, `is ${what}, and no method. Write it as a method: ${key}(job, context) { … }`);
}
