import { isObject } from '../../job/option-checks.js';
import type { JsonSchema } from './payload-form.js';

/** The parts of a JSON Schema that are about one value. */
export type SchemaParts = readonly JsonSchema[];

/** How deep parts refer to each other. */
const MAX_DEPTH = 50;

/** What a JSON Schema says of values within a document: which of them are to be hidden. */
export class SchemaMarks {
  readonly whole: SchemaParts;

  constructor(private readonly root: JsonSchema) {
    this.whole = this.parts(root);
  }

  /** Whether one of the parts says that its value is to be hidden. */
  isHidden(parts: SchemaParts): boolean {
    return parts.some((part) => part.redact === true || part['x-redact'] === true || part.writeOnly === true);
  }

  /** The parts that are about a field or an entry. @param isEntry whether the name is the number of an entry */
  within(parts: SchemaParts, name: string, isEntry: boolean): SchemaParts {
    return parts.flatMap((part) => {
      const found = isEntry ? entryOf(part, Number(name)) : fieldOf(part, name);
      return found.flatMap((schema) => this.parts(schema));
    });
  }

  /** A schema and what it is put together from. Where it says the one or the other, both count: rather too much is hidden. */
  private parts(schema: unknown, depth = 0): SchemaParts {
    if (!isObject(schema) || depth > MAX_DEPTH) return [];
    const own = schema as JsonSchema;
    const others = [
      ...['allOf', 'anyOf', 'oneOf'].flatMap((name) =>
        Array.isArray(own[name]) ? (own[name] as unknown[]) : [],
      ),
      ...['if', 'then', 'else'].flatMap((name) => (own[name] === undefined ? [] : [own[name]])),
      ...(typeof own.$ref === 'string' ? [this.referred(own.$ref)] : []),
    ];
    return [own, ...others.flatMap((other) => this.parts(other, depth + 1))];
  }

  /** `#/$defs/Card`, and `#` for the whole. */
  private referred(reference: string): unknown {
    if (!reference.startsWith('#')) return undefined;
    const names = reference.slice(1).split('/').slice(1);
    const unescaped = names.map((name) =>
      decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~'),
    );
    return unescaped.reduce<unknown>(
      (found, name) => (isObject(found) ? (found as JsonSchema)[name] : undefined),
      this.root,
    );
  }
}

function fieldOf(
  { properties, patternProperties, additionalProperties }: JsonSchema,
  name: string,
): unknown[] {
  const named =
    isObject(properties) && Object.hasOwn(properties, name) ? [(properties as JsonSchema)[name]] : [];
  const patterns = isObject(patternProperties) ? Object.entries(patternProperties as JsonSchema) : [];
  const matching = patterns.filter(([pattern]) => matches(pattern, name)).map(([, schema]) => schema);
  const known = [...named, ...matching];
  return known.length > 0 ? known : [additionalProperties];
}

function entryOf({ items, prefixItems }: JsonSchema, index: number): unknown[] {
  const prefix = Array.isArray(prefixItems) ? (prefixItems as unknown[]) : [];
  return [index < prefix.length ? prefix[index] : items];
}

function matches(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(name);
  } catch {
    return true; // rather too much is hidden
  }
}
