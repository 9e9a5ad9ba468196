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
  type Tracer,
} from '@opentelemetry/api';
import type { AttemptEnd, JobsInstrument, Sending } from '../events/instrument.js';
import type { TraceContext } from '../job/carriage.js';
import { describeError } from '../job/describe-error.js';
import type { ClaimedJob, Job } from '../job/job.js';
import { isError } from '../metrics/job-measures.js';
import { errorTypeOf } from '../metrics/label-values.js';
import { ATTRIBUTE, SYSTEM, type Operation } from './attributes.js';

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
    const carrier: Record<string, string> = {};
    propagation.inject(context.active(), carrier);
    return Object.keys(carrier).length === 0 ? undefined : carrier;
  }

  async process(job: ClaimedJob, run: () => Promise<AttemptEnd>): Promise<void> {
    const origin = originOf(job);
    const span = this.startProcess(job, origin);
    try {
      end(span, await context.with(trace.setSpan(origin, span), run));
    } finally {
      span.end();
    }
  }

  private startSend({ kinds, isJoined }: Sending, caller: Context): Span {
    const [kind] = kinds;
    const isOfOneKind = kinds.every((one) => one === kind);
    const attributes = this.attributes('send');
    if (isOfOneKind) attributes[ATTRIBUTE.destination] = kind;
    if (kinds.length > 1) attributes[ATTRIBUTE.batchCount] = kinds.length;
    if (isJoined) attributes[ATTRIBUTE.transaction] = true;
    const name = isOfOneKind ? `send ${kind!}` : 'send';
    return this.tracer.startSpan(name, { kind: SpanKind.PRODUCER, attributes }, caller);
  }

  private startProcess(job: ClaimedJob, origin: Context): Span {
    const attributes = this.attributes('process');
    attributes[ATTRIBUTE.destination] = job.kind;
    attributes[ATTRIBUTE.messageId] = job.id;
    attributes[ATTRIBUTE.clientId] = job.lockedBy;
    attributes[ATTRIBUTE.attempt] = job.attemptsDone + 1;
    const { isChild } = this.settings;
    const links = isChild ? [] : linksTo(origin);
    const options = { kind: SpanKind.CONSUMER, attributes, links, root: !isChild };
    return this.tracer.startSpan(`process ${job.kind}`, options, origin);
  }

  /** What all spans of an operation have. One literal: to spread an object costs as much as the rest of a span. */
  private attributes(operation: Operation): Attributes {
    return {
      'messaging.system': SYSTEM,
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'nestjs_typeorm_jobs.queue': this.settings.queue,
    };
  }
}

export interface JobTracerSettings {
  /** The name of the module. */
  readonly queue: string;
  /** Whether attempts belong to the trace of the enqueue, rather than to one each. */
  readonly isChild: boolean;
}

/** What was active where the job was enqueued, as far as it was propagated. Nothing of the worker's own context is in it. */
function originOf({ traceContext }: ClaimedJob): Context {
  return traceContext === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, traceContext);
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

function end(span: Span, attempt: AttemptEnd): void {
  span.setAttribute(ATTRIBUTE.outcome, attempt.type);
  if (attempt.isLeaseLost === true) span.addEvent('lease lost');
  if (isError(attempt)) fail(span, attempt.error);
}

function fail(span: Span, error: unknown): void {
  const text = describeError(error);
  const type = errorTypeOf(error);
  const message = text.split('\n', 1)[0]!;
  span.setAttribute(ATTRIBUTE.errorType, type);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.recordException({ name: type, message, stack: text });
}
