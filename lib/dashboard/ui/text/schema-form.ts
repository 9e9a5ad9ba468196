/*
 * A form of a JSON Schema: fields for what a form can hold, and JSON for the rest.
 */

export type FieldType = 'text' | 'number' | 'integer' | 'flag' | 'choice' | 'json';

export interface Field {
  /** The names from the payload down, e.g. `['address', 'city']`. */
  readonly path: readonly string[];
  readonly label: string;
  readonly type: FieldType;
  readonly isRequired: boolean;
  readonly description: string | null;
  /** Of a choice: the values as JSON. */
  readonly choices: readonly string[];
  /** What the field holds at first: text as it is, all else as JSON. */
  readonly initial: string;
}

type Schema = Readonly<Record<string, unknown>>;

/** The fields of a payload; null where it is not an object, or not described: then it is written as JSON. */
export function fieldsOf(schema: unknown): readonly Field[] | null {
  if (!isSchema(schema) || !isSchema(schema.properties)) return null;
  return fieldsIn(schema, [], true);
}

/** The payload that the values of fields make, by their labels. Empty fields that are not required are left out. @throws SyntaxError */
export function payloadOf(fields: readonly Field[], values: Readonly<Record<string, string>>): unknown {
  const payload: Record<string, unknown> = {};
  for (const field of fields) {
    const text = values[field.label] ?? field.initial;
    if (text === '' && !(field.isRequired && field.type === 'text')) continue;
    place(payload, field.path, valueOf(field, text));
  }
  return payload;
}

function fieldsIn(schema: Schema, path: readonly string[], isRequired: boolean): readonly Field[] {
  const required = Array.isArray(schema.required) ? (schema.required as readonly unknown[]) : [];
  return Object.entries(schema.properties as Schema).flatMap(([name, described]) => {
    const property = isSchema(described) ? described : {};
    const at = [...path, name];
    const isNeeded = isRequired && required.includes(name);
    if (property.type === 'object' && isSchema(property.properties)) return fieldsIn(property, at, isNeeded);
    return [fieldOf(property, at, isNeeded)];
  });
}

function fieldOf(schema: Schema, path: readonly string[], isRequired: boolean): Field {
  const type = typeOf(schema);
  return {
    path,
    label: path.join('.'),
    type,
    isRequired,
    description: typeof schema.description === 'string' ? schema.description : null,
    choices: type === 'choice' ? (schema.enum as unknown[]).map((value) => JSON.stringify(value)) : [],
    initial: schema.default === undefined ? '' : textOf(type, schema.default),
  };
}

function typeOf(schema: Schema): FieldType {
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return 'choice';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'number' || schema.type === 'integer') return schema.type;
  return schema.type === 'boolean' ? 'flag' : 'json';
}

function textOf(type: FieldType, value: unknown): string {
  return type === 'text' && typeof value === 'string' ? value : JSON.stringify(value);
}

function valueOf({ type, label }: Field, text: string): unknown {
  if (type === 'text') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new SyntaxError(`${label} is not JSON. Put text into double quotes.`);
  }
}

/** Defines, because a field may have the name of something that objects inherit. */
function place(payload: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let object = payload;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(object, name)) define(object, name, {});
    object = object[name] as Record<string, unknown>;
  }
  define(object, path.at(-1)!, value);
}

function define(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
