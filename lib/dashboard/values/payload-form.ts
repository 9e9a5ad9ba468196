import type { HandlerRegistry } from '../../execution/handler-registry.js';
import { readProperty } from '../../job/describe-error.js';

/** JSON Schema, of which only parts are looked at. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * - `unknown`: no handler of this process serves the kind
 * - `none`: its handler has no schema, or one that does not tell what it is like
 * - `unreadable`: it has a schema that cannot be told as JSON Schema
 */
export type PayloadForm = 'unknown' | 'none' | 'unreadable' | { readonly schema: JsonSchema };

/** What payloads of a kind look like, as far as this process knows. */
export class PayloadForms {
  private readonly forms = new WeakMap<object, PayloadForm>();

  constructor(private readonly handlers: Pick<HandlerRegistry, 'get' | 'kinds'>) {}

  /** The kinds that this process serves. */
  get kinds(): readonly string[] {
    return this.handlers.kinds;
  }

  of(kind: string): PayloadForm {
    const handler = this.handlers.get(kind);
    if (handler === undefined) return 'unknown';
    const schema = handler.definition?.options.schema;
    if (schema === undefined) return 'none';
    let form = this.forms.get(schema);
    if (form === undefined) this.forms.set(schema, (form = formOf(schema)));
    return form;
  }
}

/** As Standard JSON Schema has it, which zod, arktype and others implement. */
interface StandardJsonSchema {
  readonly input: (options: {
    readonly target: string;
    readonly libraryOptions?: Readonly<Record<string, unknown>>;
  }) => unknown;
}

function formOf(schema: object): PayloadForm {
  const standard = readProperty(schema, '~standard');
  if (typeof standard !== 'object' || standard === null) return 'none'; // a class
  const json = readProperty(standard, 'jsonSchema') as StandardJsonSchema | undefined;
  if (typeof json?.input !== 'function') return 'none';
  try {
    // Zod refuses what JSON Schema cannot say, as dates, unless it is told to leave that open.
    const made = json.input({ target: 'draft-2020-12', libraryOptions: { unrepresentable: 'any' } });
    return typeof made === 'object' && made !== null ? { schema: made as JsonSchema } : 'unreadable';
  } catch {
    return 'unreadable';
  }
}
