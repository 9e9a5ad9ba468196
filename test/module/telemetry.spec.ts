import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { JobClient, JobHandler, PermanentError, type Job, type JobContext } from '../../lib/index.js';
import { JobsTelemetryModule, type JobsTelemetryOptions } from '../../lib/telemetry/index.js';
import { ended } from '../support/applications.js';
import { describeObserved, eventsOf, seen, type Start } from '../support/observed-applications.js';
import { OpenTelemetry } from '../support/open-telemetry.js';
import { until } from '../support/until.js';

const OTEL = OpenTelemetry.forEachTest();

const telemetry = (options: JobsTelemetryOptions = {}) =>
  JobsTelemetryModule.forRoot({ meterProvider: OTEL.current.meterProvider, ...options });

/** The spans of a job. */
const spanOf = (spans: readonly ReadableSpan[], { id }: Pick<Job, 'id'>): ReadableSpan[] =>
  spans.filter(({ attributes }) => attributes['messaging.message.id'] === id);

describeObserved('Telemetry', tests, testsOfTransactions);

function testsOfTransactions(start: Start): void {
  it('has a span of an enqueue whose transaction is rolled back, and neither an attempt nor a count of it', async () => {
    const app = await start({ imports: [telemetry()] });
    const client = app.get(JobClient);
    const rolledBack = client.transaction(async () => {
      await client.enqueue('mail', 'never');
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    await client.transaction(async () => {
      await client.enqueue('mail', 'inner');
      await client.enqueue('mail', 'outside', { outside: true });
    });
    await OTEL.current.processed(2);
    const joined = OTEL.current.sent.map(({ attributes }) => attributes['nestjs_typeorm_jobs.transaction']);
    expect(joined).toEqual([true, true, undefined]);
    expect(OTEL.current.sent.map(({ status }) => status.code)).toEqual([0, 0, 0]);
    const [rolled] = OTEL.current.sent;
    expect(spanOf(await OTEL.current.processed(2), { id: idOf(rolled!) })).toEqual([]);
    const sent = (await OTEL.current.points()).filter(
      ({ name }) => name === 'messaging.client.sent.messages',
    );
    expect(sent.map(({ value }) => value)).toEqual([2]);
  });

  it('has one span of an attempt in a transaction, around its statements', async () => {
    const app = await start({ imports: [telemetry()], providers: [Ledger] });
    const client = app.get(JobClient);
    const { id } = await client.enqueue('book', 'fine');
    const other = await client.enqueue('book', 'wrong');
    const spans = await OTEL.current.processed(2);
    expect(spanOf(spans, { id })[0]!.attributes['nestjs_typeorm_jobs.outcome']).toBe('done');
    expect(spanOf(spans, other)[0]).toMatchObject({
      attributes: { 'nestjs_typeorm_jobs.outcome': 'failed', 'error.type': 'PermanentError' },
    });
    const children = OTEL.current.spans.filter(({ name }) => name === 'statement');
    expect(children.map(({ parentSpanContext }) => parentSpanContext?.spanId).toSorted()).toEqual(
      spans.map((span) => span.spanContext().spanId).toSorted(),
    );
  });
}

@Injectable()
class Ledger {
  @JobHandler('book', { transactional: true })
  async book({ payload }: Job<string>, { manager }: JobContext): Promise<void> {
    await manager.query('SELECT 1');
    trace.getTracer('user').startSpan('statement').end();
    if (payload === 'wrong') throw new PermanentError('never');
  }
}

function idOf({ attributes }: ReadableSpan): string {
  return attributes['messaging.message.id'] as string;
}

function tests(start: Start): void {
  it('has a span send and a span process, with the attributes of the conventions', async () => {
    const app = await start({ imports: [telemetry()] });
    const { id } = await app.get(JobClient).enqueue('mail', 'a');
    const [process] = await OTEL.current.processed(1);
    const [send] = OTEL.current.sent;
    expect(send).toMatchObject({
      name: 'send mail',
      kind: SpanKind.PRODUCER,
      status: { code: SpanStatusCode.UNSET },
    });
    expect(send!.attributes).toEqual({
      'messaging.system': 'nestjs_typeorm_jobs',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'mail',
      'messaging.message.id': id,
      'nestjs_typeorm_jobs.queue': 'default',
    });
    expect(process).toMatchObject({ name: 'process mail', kind: SpanKind.CONSUMER });
    expect(process!.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(process!.attributes).toEqual({
      'messaging.system': 'nestjs_typeorm_jobs',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'mail',
      'messaging.message.id': id,
      'messaging.client.id': expect.stringMatching(/./),
      'nestjs_typeorm_jobs.queue': 'default',
      'nestjs_typeorm_jobs.attempt': 1,
      'nestjs_typeorm_jobs.outcome': 'done',
    });
    expect(send!.instrumentationScope.name).toBe('nestjs-typeorm-jobs');
  });

  it('gives each attempt a trace of its own, which links to the enqueue', async () => {
    const app = await start({ imports: [telemetry()] });
    await trace.getTracer('user').startActiveSpan('request', async (request) => {
      await app.get(JobClient).enqueue('mail', 'again');
      request.end();
    });
    const attempts = await OTEL.current.processed(2);
    const [send] = OTEL.current.sent;
    const request = OTEL.current.spans.find(({ name }) => name === 'request')!;
    expect(send!.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    for (const attempt of attempts) {
      expect(attempt.parentSpanContext).toBeUndefined();
      const { traceId, spanId } = send!.spanContext();
      expect(attempt.links.map((link) => link.context)).toEqual([
        expect.objectContaining({ traceId, spanId }),
      ]);
    }
    const traces = [send!, ...attempts].map((span) => span.spanContext().traceId);
    expect(new Set(traces).size).toBe(3);
  });

  it('makes attempts children of the enqueue with parent: true', async () => {
    const app = await start({ imports: [telemetry({ parent: true })] });
    await app.get(JobClient).enqueue('mail', 'again');
    const attempts = await OTEL.current.processed(2);
    const { traceId, spanId } = OTEL.current.sent[0]!.spanContext();
    for (const attempt of attempts) {
      expect(attempt.parentSpanContext).toMatchObject({ traceId, spanId });
      expect(attempt.links).toEqual([]);
    }
  });

  it('has the span of the attempt active in the handler, also for what that enqueues', async () => {
    const app = await start({ imports: [telemetry()] });
    const job = await app.get(JobClient).enqueue('mail', 'more');
    const attempts = await OTEL.current.processed(2);
    const [first] = spanOf(attempts, job);
    const second = attempts.find((attempt) => attempt !== first);
    const [smtp] = OTEL.current.spans.filter(({ name }) => name === 'smtp');
    expect(smtp!.parentSpanContext?.spanId).toBe(first!.spanContext().spanId);
    expect(seen[0]!.traceId).toBe(first!.spanContext().traceId);
    const [, next] = OTEL.current.sent;
    expect(next!.parentSpanContext?.spanId).toBe(first!.spanContext().spanId);
    expect(second!.links[0]!.context.spanId).toBe(next!.spanContext().spanId);
  });

  it.each([
    ['again', ['retry', 'done'], 'NoSuchUserError', 'Error: not yet'],
    ['permanent', ['failed'], 'PermanentError', 'PermanentError: never'],
    ['panic', ['panic'], 'TypeError', expect.stringContaining('TypeError: ')],
    ['cancel', ['cancelled'], undefined, undefined],
    ['snooze', ['snoozed', 'done'], undefined, undefined],
  ])('tells of an attempt that ends with %s', async (payload, outcomes, errorType, message) => {
    const app = await start({ imports: [telemetry()] });
    const job = await app.get(JobClient).enqueue('mail', payload);
    const attempts = await OTEL.current.processed(outcomes.length);
    await ended(app.get(JobClient), job.id);
    expect(attempts.map(({ attributes }) => attributes['nestjs_typeorm_jobs.outcome'])).toEqual(outcomes);
    const [{ attributes, status, events }] = attempts as [ReadableSpan];
    expect(attributes['error.type']).toBe(errorType);
    const isError = errorType !== undefined;
    expect(status).toEqual(
      isError ? { code: SpanStatusCode.ERROR, message } : { code: SpanStatusCode.UNSET },
    );
    expect(events.map(({ name }) => name)).toEqual(isError ? ['exception'] : []);
    if (isError) expect(events[0]!.attributes).toMatchObject({ 'exception.type': errorType });
  });

  it('has one span for a list of jobs, to which each of them links', async () => {
    const app = await start({ imports: [telemetry()] });
    const kind = 'mail';
    const jobs = await app.get(JobClient).enqueueMany([{ kind }, { kind }, { kind }]);
    const attempts = await OTEL.current.processed(3);
    const [send, ...others] = OTEL.current.sent;
    expect(others).toEqual([]);
    expect(send).toMatchObject({ name: 'send mail' });
    expect(send!.attributes).toMatchObject({ 'messaging.batch.message_count': 3 });
    expect(send!.attributes).not.toHaveProperty(['messaging.message.id']);
    expect(attempts.map(idOf).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    for (const { links } of attempts) expect(links[0]!.context.spanId).toBe(send!.spanContext().spanId);
  });

  it('names no kind for a list of several kinds, and has no span for a list of none', async () => {
    const app = await start({ imports: [telemetry()] });
    await app.get(JobClient).enqueueMany([]);
    await app.get(JobClient).enqueueMany([{ kind: 'mail' }, { kind: 'slow' }]);
    await OTEL.current.processed(1);
    expect(OTEL.current.sent.map(({ name }) => name)).toEqual(['send']);
    expect(OTEL.current.sent[0]!.attributes).not.toHaveProperty(['messaging.destination.name']);
  });

  it('tells why jobs could not be enqueued', async () => {
    const app = await start({ imports: [telemetry()] });
    await expect(app.get(JobClient).enqueue('mail', NaN)).rejects.toThrow('NaN');
    const [send] = OTEL.current.sent;
    expect(send).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'InvalidJobError' },
    });
    const sent = (await OTEL.current.points()).filter(
      ({ name }) => name === 'messaging.client.sent.messages',
    );
    expect(sent).toMatchObject([{ value: 1, attributes: { 'error.type': 'InvalidJobError' } }]);
  });

  it('tells of jobs that are cancelled while they run, and given back at a shutdown', async () => {
    const app = await start({ imports: [telemetry()] });
    const client = app.get(JobClient);
    const first = await client.enqueue('slow');
    await until(() => seen.length === 1);
    await client.cancel(first.id);
    await OTEL.current.processed(1);
    const second = await client.enqueue('slow');
    await until(() => seen.length === 2);
    await app.close();
    const attempts = await OTEL.current.processed(2);
    const outcomeOf = (job: Job) => spanOf(attempts, job)[0]!.attributes['nestjs_typeorm_jobs.outcome'];
    expect([outcomeOf(first), outcomeOf(second)]).toEqual(['cancelled', 'released']);
    expect(attempts.map(({ status }) => status.code)).toEqual([SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
  });

  it('does nothing for a job without its module', async () => {
    const app = await start();
    const client = app.get(JobClient);
    const { id, traceContext, carried } = await client.enqueue('mail', 'a');
    await ended(client, id);
    expect([traceContext, carried]).toEqual([undefined, undefined]);
    expect(OTEL.current.spans.filter(({ name }) => name !== 'smtp')).toEqual([]);
    expect(eventsOf(app).instrument).toBeUndefined();
    expect(await OTEL.current.points()).toEqual([]);
  });

  it('ends with the application', async () => {
    const app = await start({ imports: [telemetry()] });
    const events = eventsOf(app);
    expect(events.instrument).toBeDefined();
    await app.close();
    expect(events.instrument).toBeUndefined();
  });
}
