import { InvalidOptionError } from '../job/errors.js';

/** @throws InvalidOptionError */
export function requireText(option: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return;
  throw new InvalidOptionError(option, value, 'a text that is not empty');
}

/** @throws InvalidOptionError */
export function requireFunction(option: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new InvalidOptionError(option, value, 'a function');
}

/** @throws InvalidOptionError */
export function requireMethods(option: string, value: unknown, names: readonly string[]): void {
  const methods = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (names.every((name) => typeof methods[name] === 'function')) return;
  const list =
    names.length === 1
      ? `method ${names[0]!}`
      : `methods ${names.slice(0, -1).join(', ')} and ${names.at(-1)!}`;
  throw new InvalidOptionError(option, value, `an object with the ${list}`);
}

/** @throws InvalidOptionError */
export function requireBoolean(option: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new InvalidOptionError(option, value, 'true or false');
}

/** @throws InvalidOptionError */
export function requireInt(option: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new InvalidOptionError(option, value, `a whole number from ${min} to ${max}`);
}

/** @throws InvalidOptionError */
export function requireOneOf(option: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new InvalidOptionError(option, value, allowed.map((one) => `'${one}'`).join(' or '));
}

/** @throws InvalidOptionError where `options` is no object, or has a name that is not among the known ones */
export function requireKnown(options: object, known: readonly string[], prefix: '' | 'worker.'): void {
  if (typeof (options as unknown) !== 'object' || (options as unknown) === null || Array.isArray(options)) {
    const [option, allowed] = prefix === '' ? ['options', 'an object'] : ['worker', 'false or an object'];
    throw new InvalidOptionError(option, options, allowed);
  }
  for (const [option, value] of Object.entries(options)) {
    if (known.includes(option)) continue;
    throw new InvalidOptionError(
      `${prefix}${option}`,
      value,
      `left out, as it is unknown; there are ${known.join(', ')}`,
    );
  }
}
