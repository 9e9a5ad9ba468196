import type { JobDefinition } from '../job/definition.js';
import { KindExistsError, PermanentError } from '../job/errors.js';
import { checkHandlerOptions, type JobHandlerOptions } from '../job/handler-options.js';
import { requireName } from '../job/names.js';
import type { ClaimedJob } from '../job/job.js';
import { Attempt, type AttemptPolicy, type HandlerFn } from './attempt.js';

/** A handler as the worker knows it. */
export interface Handler {
  readonly kind: string;
  readonly run: HandlerFn;
  readonly options: JobHandlerOptions;
  /** Checks its payloads. */
  readonly definition?: JobDefinition;
  /** Where it was declared, for messages: `InvoiceJobs.render`. */
  readonly declaredAt: string;
}

/** The handlers of one queue, by kind. */
export class HandlerRegistry {
  private readonly handlers = new Map<string, Handler>();

  /** @throws KindExistsError, InvalidOptionError, InvalidJobError */
  add(handler: Handler): void {
    const kind = requireName(handler.kind, `The kind of ${handler.declaredAt}`);
    const existing = this.handlers.get(kind);
    if (existing) throw new KindExistsError(kind, [existing.declaredAt, handler.declaredAt]);
    checkHandlerOptions(handler.options, `${handler.declaredAt}: `);
    this.handlers.set(kind, { ...handler, kind });
  }

  get(kind: string): Handler | undefined {
    return this.handlers.get(kind);
  }

  /** The handler of a claimed job. For a kind that has none here, it is one that refuses the job. */
  handlerOf({ kind }: ClaimedJob): Handler {
    return this.handlers.get(kind) ?? REFUSING;
  }

  get kinds(): readonly string[] {
    return [...this.handlers.keys()];
  }
}

/** Makes the attempts of claimed jobs. The handler's own options take precedence over the module's. */
export class AttemptFactory {
  private readonly policies = new Map<Handler, AttemptPolicy>();

  constructor(
    private readonly handlers: HandlerRegistry,
    private readonly defaults: AttemptPolicy,
  ) {}

  /** Never throws: a job whose kind has no handler here gets an attempt that fails. */
  attempt(job: ClaimedJob): Attempt {
    const handler = this.handlers.handlerOf(job);
    return new Attempt(job, handler.run, this.policyOf(handler));
  }

  /** The rules that hold for the attempts of a handler. */
  policyOf(handler: Handler): AttemptPolicy {
    let policy = this.policies.get(handler);
    if (policy === undefined) {
      const { defaults } = this;
      const {
        maxAttempts = defaults.maxAttempts,
        backoff = defaults.backoff,
        timeoutMs = defaults.timeoutMs,
        keepResult = defaults.keepResult,
        transactional,
      } = handler.options;
      policy = { ...defaults, maxAttempts, backoff, timeoutMs, keepResult, transactional };
      this.policies.set(handler, policy);
    }
    return policy;
  }
}

/**
 * A handler for a job of a kind that has none: it fails for good. A database that ignores blanks at the end of a text may
 * hand over a row of the kind `good ` for the kind `good`. No handler can have such a kind, because kinds are trimmed.
 */
export const refuseKind: HandlerFn = ({ kind }) => {
  throw new PermanentError(
    `No handler serves the kind ${JSON.stringify(kind)}. Kinds are compared exactly, and have no blanks at their ends.`,
  );
};

const REFUSING: Handler = { kind: '', declaredAt: 'nowhere', options: {}, run: refuseKind };
