import { InvalidOptionError } from './errors.js';

/**
 * Refuses a value that an option must not have.
 *
 * @param option its whole name, for the message
 * @param options what stands above it in the table, with defaults
 * @throws InvalidOptionError
 */
export type OptionCheck<Options = unknown> = (value: unknown, option: string, options: Options) => void;

/** Allows the values that pass a test. @param allowed what they are, for the message: "it must be …" */
export function allow(allowed: string, isAllowed: (value: unknown) => boolean): OptionCheck {
  return (value, option) => {
    if (!isAllowed(value)) throw new InvalidOptionError(option, value, allowed);
  };
}

export const text = allow('a text that is not empty', (value) => typeof value === 'string' && value !== '');

export const trueOrFalse = allow('true or false', (value) => typeof value === 'boolean');

export const aFunction = allow('a function', (value) => typeof value === 'function');

export const anObject = allow('an object', isObject);

export const aList = allow('a list', Array.isArray);

/** The `name` of a `JobsModule`. */
export const moduleName = matching(/^\w{1,30}$/, '1 to 30 letters, digits and _');

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): OptionCheck {
  const upTo = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`;
  return allow(
    `a whole number from ${min}${upTo}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  );
}

export function matching(pattern: RegExp, allowed: string): OptionCheck {
  return allow(allowed, (value) => typeof value === 'string' && pattern.test(value));
}

export function oneOf(...values: readonly string[]): OptionCheck {
  return allow(values.map((value) => `'${value}'`).join(' or '), (value) => values.includes(value as string));
}

/** An object with these methods. */
export function methods(...names: readonly string[]): OptionCheck {
  const list =
    names.length === 1
      ? `method ${names[0]!}`
      : `methods ${names.slice(0, -1).join(', ')} and ${names.at(-1)!}`;
  return allow(
    `an object with the ${list}`,
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function'),
  );
}

/** Whether a value has named properties, as options have. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
