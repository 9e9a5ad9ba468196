import {
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api';
import type { Firing, FiringWatch } from '../events/firing.js';
import type { AttemptEnd, AttemptWatch, JobsInstrument, Sending } from '../events/instrument.js';
import type { TraceContext } from '../job/carriage.js';
import { describeError } from '../job/describe-error.js';
import type { ClaimedJob, Job } from '../job/job.js';
import { isError } from '../metrics/job-measures.js';
import { errorTypeOf } from '../metrics/label-values.js';
import { ATTRIBUTE, SYSTEM } from './attributes.js';

/**
 * Spans of enqueues and of attempts. An enqueue is a span `send`, whose context the jobs take along; an attempt is a span
 * `process`, which is active while the handler runs.
 */
export class JobTracer implements JobsInstrument {
  constructor(
    private readonly tracer: Tracer,
    private readonly settings: JobTracerSettings,
  ) {}

  async send(sending: Sending, write: () => Promise<readonly Job[]>): Promise<void> {
    if (sending.kinds.length === 0) {
      await write();
      return;
    }
    const caller = context.active();
    const span = this.startSend(sending, caller);
    try {
      const jobs = await context.with(trace.setSpan(caller, span), write);
      if (jobs.length === 1) span.setAttributes(attributesOfSent(jobs[0]!));
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  /** As the propagators of the application write the context that is active: that of the span `send`. */
  traceContext(): TraceContext | undefined {
    return carriedOf(context.active());
  }

  /** A trace of its own. The span of a tick that another process has fired is never ended, so it is not exported. */
  fire({ schedule, kind, jobIds }: Firing): FiringWatch {
    const attributes = this.sendAttributes();
    attributes[ATTRIBUTE.destination] = kind;
    attributes[ATTRIBUTE.schedule] = schedule;
    if (jobIds.length === 1) attributes[ATTRIBUTE.messageId] = jobIds[0];
    else attributes[ATTRIBUTE.batchCount] = jobIds.length;
    const span = this.tracer.startSpan(`send ${kind}`, { kind: SpanKind.PRODUCER, attributes }, ROOT_CONTEXT);
    const own = trace.setSpan(ROOT_CONTEXT, span);
    return {
      traceContext: carriedOf(own),
      run: (work) => context.with(own, work),
      made: () => span.end(),
      failed: (error) => {
        fail(span, error);
        span.end();
      },
    };
  }

  /** Without an SDK there is no span to be active, and the handler runs as if nothing stood around it. */
  process(job: ClaimedJob): AttemptWatch | undefined {
    const origin = originOf(job);
    const span = this.startProcess(job, origin);
    if (origin === ROOT_CONTEXT && !isSpanContextValid(span.spanContext())) return undefined;
    return new TracedAttempt(span, trace.setSpan(origin, span));
  }

  private startSend({ kinds, isJoined }: Sending, caller: Context): Span {
    const [kind] = kinds;
    const isOfOneKind = kinds.every((one) => one === kind);
    const attributes = this.sendAttributes();
    if (isOfOneKind) attributes[ATTRIBUTE.destination] = kind;
    if (kinds.length > 1) attributes[ATTRIBUTE.batchCount] = kinds.length;
    if (isJoined) attributes[ATTRIBUTE.transaction] = true;
    const name = isOfOneKind ? `send ${kind!}` : 'send';
    return this.tracer.startSpan(name, { kind: SpanKind.PRODUCER, attributes }, caller);
  }

  private sendAttributes(): Attributes {
    return {
      'messaging.system': SYSTEM,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'nestjs_typeorm_jobs.queue': this.settings.queue,
    };
  }

  /** One literal holds the attributes: to spread an object, or to add to it, costs as much as the rest of a span. */
  private startProcess({ kind, id, lockedBy, attemptsDone }: ClaimedJob, origin: Context): Span {
    const attributes: Attributes = {
      'messaging.system': SYSTEM,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': kind,
      'messaging.message.id': id,
      'messaging.client.id': lockedBy,
      'nestjs_typeorm_jobs.queue': this.settings.queue,
      'nestjs_typeorm_jobs.attempt': attemptsDone + 1,
    };
    const options: SpanOptions = { kind: SpanKind.CONSUMER, attributes };
    if (origin !== ROOT_CONTEXT && !this.settings.isChild) {
      options.links = linksTo(origin);
      options.root = true;
    }
    return this.tracer.startSpan(`process ${kind}`, options, origin);
  }
}

export interface JobTracerSettings {
  /** The name of the module. */
  readonly queue: string;
  /** Whether attempts belong to the trace of the enqueue, rather than to one each. */
  readonly isChild: boolean;
}

/** The span of an attempt, which is active while the handler runs. */
class TracedAttempt implements AttemptWatch {
  constructor(
    private readonly span: Span,
    private readonly own: Context,
  ) {}

  run<Result>(work: () => Result): Result {
    return context.with(this.own, work);
  }

  ended(attempt: AttemptEnd): void {
    const { span } = this;
    if (!span.isRecording()) return;
    try {
      span.setAttribute(ATTRIBUTE.outcome, attempt.type);
      if (attempt.isLeaseLost === true) span.addEvent('lease lost');
      if (isError(attempt)) fail(span, attempt.error);
    } finally {
      span.end();
    }
  }
}

/** What was active where the job was enqueued, as far as it was propagated. Nothing of the worker's own context is in it. */
function originOf({ traceContext }: ClaimedJob): Context {
  return traceContext === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, traceContext);
}

/** As the propagators of the application write it. */
function carriedOf(active: Context): TraceContext | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(active, carrier);
  return Object.keys(carrier).length === 0 ? undefined : carrier;
}

function linksTo(origin: Context): Link[] {
  const producer = trace.getSpanContext(origin);
  return producer !== undefined && isSpanContextValid(producer) ? [{ context: producer }] : [];
}

/** Another job may stand in the place of the one that was enqueued. */
function attributesOfSent({ id, enqueued }: Job): Attributes {
  const isNew = enqueued === undefined || enqueued === 'created';
  return { [ATTRIBUTE.messageId]: id, ...(!isNew && { [ATTRIBUTE.enqueued]: enqueued }) };
}

function fail(span: Span, error: unknown): void {
  const text = describeError(error);
  const type = errorTypeOf(error);
  const message = text.split('\n', 1)[0]!;
  span.setAttribute(ATTRIBUTE.errorType, type);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.recordException({ name: type, message, stack: text });
}
