import { expect, it } from '@jest/globals';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { JobClient, JobQueue, JobSchedules, type Job } from '../../lib/index.js';
import { JobsTelemetryModule } from '../../lib/telemetry/index.js';
import { ended } from '../support/applications.js';
import { describeObserved, seen, type Start } from '../support/observed-applications.js';
import { OpenTelemetry } from '../support/open-telemetry.js';

const OTEL = OpenTelemetry.forEachTest();

const telemetry = () => JobsTelemetryModule.forRoot({ meterProvider: OTEL.current.meterProvider });

/** The spans of a job. */
const spanOf = (spans: readonly ReadableSpan[], { id }: Pick<Job, 'id'>): ReadableSpan[] =>
  spans.filter(({ attributes }) => attributes['messaging.message.id'] === id);

describeObserved('What telemetry takes along', tests);

function tests(start: Start): void {
  it.each([[{ tenant: 't1' }], ['t1'], [{}], [{ $trace: 'mine' }], [null], [undefined]])(
    'takes %j of a context carrier along beside the trace',
    async (value) => {
      const restored: unknown[] = [];
      const contextCarrier = {
        capture: () => value,
        restore: <Result>(carried: unknown, next: () => Promise<Result>) => {
          restored.push(carried);
          return next();
        },
      };
      const app = await start({
        imports: [telemetry()],
        options: { contextCarrier: contextCarrier },
      });
      const client = app.get(JobClient);
      const { id, carried, traceContext } = await client.enqueue('mail', 'a');
      const [attempt] = await OTEL.current.processed(1);
      expect(restored).toEqual(value === undefined ? [] : [value]);
      expect([seen[0]!.carried, carried, (await client.get(id))!.carried]).toEqual([value, value, value]);
      const { traceId, spanId } = OTEL.current.sent[0]!.spanContext();
      expect(traceContext).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
      expect(attempt!.links).toHaveLength(1);
    },
  );

  it('runs jobs that carry no trace', async () => {
    const app = await start({ imports: [telemetry()] });
    const [job] = await app
      .get(JobQueue)
      .enqueue([encoded('mail', null), encoded('mail', '{"$trace":{"traceparent":"x"}}')]);
    const attempts = await OTEL.current.processed(2);
    expect(attempts.map(({ links, parentSpanContext }) => [links, parentSpanContext])).toEqual([
      [[], undefined],
      [[], undefined],
    ]);
    expect(job!.traceContext).toBeUndefined();
  });

  it('links a copy of a job to the enqueue of the copy', async () => {
    const app = await start({ imports: [telemetry()] });
    const { id } = await app.get(JobClient).enqueue('mail', 'a');
    await ended(app.get(JobClient), id);
    const copy = await app.get(JobClient).clone(id);
    const attempts = await OTEL.current.processed(2);
    const [, send] = OTEL.current.sent;
    expect(send!.attributes['messaging.message.id']).toBe(copy.id);
    expect(spanOf(attempts, copy)[0]!.links[0]!.context.spanId).toBe(send!.spanContext().spanId);
  });

  it('has a span of a schedule that is triggered by hand', async () => {
    const app = await start({ imports: [telemetry()] });
    const schedules = app.get(JobSchedules);
    await schedules.upsert('monthly', { cron: '0 0 1 1 *', kind: 'mail', payload: 'a' });
    const { id } = await schedules.trigger('monthly');
    const [attempt] = await OTEL.current.processed(1);
    expect(OTEL.current.sent.map(idOf)).toEqual([id]);
    expect(attempt!.links[0]!.context.spanId).toBe(OTEL.current.sent[0]!.spanContext().spanId);
  });

  it('has a span of each tick, to which its job links, in a trace of its own', async () => {
    const app = await start({ imports: [telemetry()] });
    const schedules = app.get(JobSchedules);
    await schedules.upsert('often', { everyMs: 1_000, kind: 'mail', payload: 'a' });
    const [attempt] = await OTEL.current.processed(1);
    await schedules.pause('often');
    const id = idOf(attempt!);
    const [send, ...others] = spanOf(OTEL.current.sent, { id });
    expect(others).toEqual([]);
    expect(send).toMatchObject({ name: 'send mail', kind: SpanKind.PRODUCER, parentSpanContext: undefined });
    expect(send!.attributes).toEqual({
      'messaging.system': 'nestjs_typeorm_jobs',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'mail',
      'messaging.message.id': expect.stringMatching(/^often@/),
      'nestjs_typeorm_jobs.queue': 'default',
      'nestjs_typeorm_jobs.schedule': 'often',
    });
    const { traceId, spanId } = send!.spanContext();
    expect(attempt!.links).toMatchObject([{ context: { traceId, spanId } }]);
    expect((await app.get(JobClient).get(id))!.traceContext).toEqual({
      traceparent: `00-${traceId}-${spanId}-01`,
    });
  });

  it('has one span of a backfill, to which all of its jobs link', async () => {
    const app = await start({ imports: [telemetry()] });
    const schedules = app.get(JobSchedules);
    await schedules.upsert('daily', { cron: '0 3 * * *', kind: 'mail', payload: 'a' });
    const span = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-01-03T23:00:00Z') };
    expect(await schedules.backfill('daily', span)).toEqual({ created: 3, existing: 0 });
    const attempts = await OTEL.current.processed(3);
    const [send, ...others] = OTEL.current.sent;
    expect(others).toEqual([]);
    expect(send!.attributes).toMatchObject({ 'messaging.batch.message_count': 3 });
    const { spanId } = send!.spanContext();
    expect(attempts.map(({ links }) => links[0]!.context.spanId)).toEqual([spanId, spanId, spanId]);
    await schedules.backfill('daily', span);
    expect(OTEL.current.sent).toHaveLength(1);
  });
}

/** A job as plain SQL would write it. */
function encoded(kind: string, carried: string | null) {
  const id = `${kind}-${carried ?? 'none'}`;
  const settings = { priority: 0, maxAttempts: null, settings: null, payloadVersion: 1 };
  return { id, kind, payload: { json: null, bytes: null }, carried, runAtMs: null, delayMs: 0, ...settings };
}

function idOf({ attributes }: ReadableSpan): string {
  return attributes['messaging.message.id'] as string;
}
