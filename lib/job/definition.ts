import { branded } from './copies.js';
import { MAX_INT } from './encode-job.js';
import { NewerPayloadError } from './errors.js';
import { HANDLER_RULES, type JobHandlerOptions } from './handler-options.js';
import type { Job, JobSettings, NewJob } from './job.js';
import { requireName } from './names.js';
import { aFunction, anObject, wholeNumber } from './option-checks.js';
import { resolveByRules, type OptionRules } from './option-rules.js';
import {
  checkPayload,
  requireSchema,
  type DtoClass,
  type PayloadSchema,
  type StandardSchema,
} from './payload-schema.js';
import type { UniqueByPayload } from './unique.js';

/** The options of `defineJob`, beside those of a handler. */
export interface JobDefinitionOptions<Schema = undefined, Result = unknown, Payload = never> extends Omit<
  JobHandlerOptions,
  'unique'
> {
  /** Makes one job of those with the same key, as `unique` of a handler does; `key` gets the payload that the handler gets. */
  readonly unique?: UniqueByPayload<Payload>;
  /** Checked when a job is enqueued, and again before its handler runs. */
  readonly schema?: Schema;
  /** The type of the result, for when that of the payload is inferred from `schema`: `returns: type<Invoice>()`. */
  readonly returns?: TypeMark<Result>;
  /** The priority of jobs that are enqueued without one. */
  readonly priority?: number;
  /** The version of the payload's shape, a whole number from 1. Default 1. Stored with each job. */
  readonly version?: number;
  /** Brings a payload that an earlier release wrote to this `version`. Called before the schema's check. */
  readonly upcast?: (payload: unknown, fromVersion: number) => unknown;
}

const DEFINITION_RULES = {
  ...HANDLER_RULES,
  schema: { check: requireSchema },
  returns: { check: anObject },
  priority: { check: wholeNumber(-MAX_INT - 1, MAX_INT) },
  version: { default: 1, check: wholeNumber(1, MAX_INT) },
  upcast: { check: aFunction },
} satisfies OptionRules<JobDefinitionOptions<PayloadSchema>>;

/** Stands for a type. */
export interface TypeMark<T> {
  readonly type?: T;
}

/** Names a type where no value of it is at hand. */
export function type<T>(): TypeMark<T> {
  return {};
}

/** A kind of job with the types of its payload and its result. Made by `defineJob`. */
@branded('JobDefinition')
export class JobDefinition<Input = unknown, Payload = Input, Result = unknown> {
  /** No values, only types: what an enqueue takes, what the handler gets, and what it returns. */
  declare readonly types: { readonly input: Input; readonly payload: Payload; readonly result: Result };
  readonly kind: string;
  readonly version: number;

  /** @throws InvalidJobError, InvalidOptionError */
  constructor(
    kind: string,
    readonly options: JobDefinitionOptions<PayloadSchema, Result>,
  ) {
    this.kind = requireName(kind, 'kind');
    const names = { prefix: `defineJob("${this.kind}"): ` };
    this.version = resolveByRules(options, DEFINITION_RULES, names).version;
  }

  /** A job of this kind, for `enqueueMany`. */
  with(payload: Input, settings: JobSettings = {}): NewJob<Input> {
    const { priority = this.options.priority, maxAttempts = this.options.maxAttempts } = settings;
    return { ...settings, priority, maxAttempts, kind: this.kind, payload, definition: this };
  }

  /**
   * Checks a payload as the store gives it back, and brings it to the version of this definition.
   * @returns what the handler gets
   * @throws InvalidPayloadError, NewerPayloadError, and whatever `upcast` throws
   */
  async read(stored: unknown, fromVersion: number): Promise<Payload> {
    if (fromVersion > this.version) throw new NewerPayloadError(this.kind, fromVersion, this.version);
    const { schema, upcast } = this.options;
    const payload =
      fromVersion < this.version && upcast !== undefined ? await upcast(stored, fromVersion) : stored;
    return (schema === undefined ? payload : await checkPayload(schema, payload, this.kind)) as Payload;
  }
}

/** What to say of a definition that is undefined, after what is wrong. */
export const CIRCULAR_IMPORT =
  'A definition is undefined where two files import each other; move it to a file that imports neither.';

/** The type that `defineJob` infers from a class. */
type FromDto<Dto> = Dto extends DtoClass<infer Instance> ? Instance : never;

type Method = (...args: never[]) => unknown;

/** What an enqueue may give for an instance of a class: its data, on every level, without its methods. */
export type PlainOf<T> = T extends Date | Uint8Array
  ? T
  : T extends readonly unknown[]
    ? { [Index in keyof T]: PlainOf<T[Index]> }
    : T extends object
      ? { [Key in keyof T as T[Key] extends Method ? never : Key]: PlainOf<T[Key]> }
      : T;

/**
 * The job of a definition, for the signature of its handler:
 *
 * ```ts
 * @JobHandler(ResizeImage)
 * resize({ payload }: JobOf<typeof ResizeImage>) { … }
 * ```
 */
export type JobOf<Definition extends Pick<JobDefinition, 'types'>> = Job<
  Definition['types']['payload'],
  Definition['types']['result']
>;

/**
 * Declares a kind of job once: its name, the types of its payload and result, how its payload is checked and how it is
 * retried. `jobs.enqueue(SendInvoice, payload)` and `@JobHandler(SendInvoice)` are type-checked against it.
 *
 * ```ts
 * const SendInvoice = defineJob<{ orderId: string }, { messageId: string }>('invoice.send', { maxAttempts: 5 });
 * const Resize = defineJob('image.resize', { schema: z.object({ url: z.url() }), returns: type<{ bytes: number }>() });
 * ```
 *
 * @throws InvalidJobError, InvalidOptionError
 */
export function defineJob<Input, Payload, Result = unknown>(
  kind: string,
  options: JobDefinitionOptions<StandardSchema<Input, Payload>, Result, Payload> & {
    schema: StandardSchema<Input, Payload>;
  },
): JobDefinition<Input, Payload, Result>;
export function defineJob<Dto extends DtoClass, Result = unknown>(
  kind: string,
  options: JobDefinitionOptions<Dto, Result, FromDto<Dto>> & { schema: Dto },
): JobDefinition<PlainOf<FromDto<Dto>>, FromDto<Dto>, Result>;
export function defineJob<Payload = unknown, Result = unknown>(
  kind: string,
  options?: JobDefinitionOptions<undefined, Result, Payload>,
): JobDefinition<Payload, Payload, Result>;
export function defineJob(kind: string, options: object = {}): JobDefinition {
  return new JobDefinition(kind, options);
}
