import { likelyName } from './did-you-mean.js';
import { InvalidOptionError } from './errors.js';
import { anObject, type OptionCheck } from './option-checks.js';

/** What an option may be, and what it is where it is left out. */
export interface OptionRule<Value, Options> {
  /** Without a default the option stays undefined where it is left out. */
  readonly default?: NonNullable<Value>;
  /** The default, where it follows from options that stand above this one in the table. */
  readonly defaultFrom?: (options: Required<Options>) => NonNullable<Value>;
  readonly check: OptionCheck<Required<Options>>;
}

/** One rule for each option, in the order in which messages list them. The compiler wants all of them, and no other. */
export type OptionRules<Options> = {
  readonly [Name in keyof Options]-?: OptionRule<Options[Name], Options>;
};

/** The options after `resolveByRules`: those that have a default are there. */
export type ResolvedByRules<Options, Rules extends OptionRules<Options>> = {
  readonly [Name in keyof Options & keyof Rules]: Rules[Name] extends
    { readonly default: unknown } | { readonly defaultFrom: unknown }
    ? Exclude<Options[Name], undefined>
    : Options[Name];
};

/** How messages call the options that are resolved. */
export interface OptionNames {
  /** What stands before each name: `worker.`, `Mails.send: `. */
  readonly prefix?: string;
  /** Options that are given elsewhere, with their paths, for "did you mean": `worker.leaseMs`. */
  readonly elsewhere?: readonly string[];
}

/**
 * Checks options by their rules and fills in the defaults. Undefined counts as left out.
 *
 * @throws InvalidOptionError naming the option, the value and what is allowed; for an unknown name, which options there
 * are and which one was probably meant
 */
export function resolveByRules<Options extends object, Rules extends OptionRules<Options>>(
  options: Options,
  rules: Rules,
  { prefix = '', elsewhere = [] }: OptionNames = {},
): ResolvedByRules<Options, Rules> {
  anObject(options, `${prefix}options`, undefined);
  requireKnownNames(options, Object.keys(rules), prefix, elsewhere);
  const given = options as Readonly<Record<string, unknown>>;
  const resolved: Record<string, unknown> = {};
  const table = rules as unknown as Readonly<Record<string, OptionRule<unknown, object>>>;
  for (const [name, rule] of Object.entries(table)) {
    const value = given[name];
    if (value !== undefined) rule.check(value, `${prefix}${name}`, resolved);
    resolved[name] = value === undefined ? (rule.default ?? rule.defaultFrom?.(resolved)) : value;
  }
  return resolved as ResolvedByRules<Options, Rules>;
}

function requireKnownNames(
  options: object,
  known: readonly string[],
  prefix: string,
  elsewhere: readonly string[],
): void {
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name)) continue;
    const meant = likelyName(name, [...known, ...elsewhere]);
    const question = meant === undefined ? '' : ` Did you mean "${meant}"?`;
    throw new InvalidOptionError(
      `${prefix}${name}`,
      value,
      `left out, as there is no such option.${question} The options are ${known.join(', ')}`,
    );
  }
}
