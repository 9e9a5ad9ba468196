import { expect, it } from '@jest/globals';
import { JobClient } from '../../lib/index.js';
import { JobsTelemetryModule, type JobsTelemetryOptions } from '../../lib/telemetry/index.js';
import { ended } from '../support/applications.js';
import { describeObserved, eventsOf, seen, type Start } from '../support/observed-applications.js';
import { OpenTelemetry, type MeasuredPoint } from '../support/open-telemetry.js';
import { until } from '../support/until.js';

const OTEL = OpenTelemetry.forEachTest();

const telemetry = (options: JobsTelemetryOptions = {}) =>
  JobsTelemetryModule.forRoot({ meterProvider: OTEL.current.meterProvider, ...options });

const QUEUE = { 'messaging.system': 'nestjs_typeorm_jobs', 'nestjs_typeorm_jobs.queue': 'default' };
const MAIL = { ...QUEUE, 'messaging.destination.name': 'mail' };
const SEND = { ...MAIL, 'messaging.operation.name': 'send' };
const PROCESS = { ...MAIL, 'messaging.operation.name': 'process' };
const OUTCOME = 'nestjs_typeorm_jobs.outcome';

/** The points of a metric, with the count of a histogram. */
const of = (points: readonly MeasuredPoint[], wanted: string) =>
  points
    .filter(({ name }) => name === wanted)
    .map(({ value, unit, attributes }) => ({
      ...{ attributes, unit, value: typeof value === 'number' ? value : value.count },
    }));

describeObserved('Metrics', tests);

function tests(start: Start): void {
  it('have the names, the units and the labels of the conventions', async () => {
    const app = await start({ imports: [telemetry()] });
    const client = app.get(JobClient);
    const payloads = ['a', 'b', 'c', 'permanent'];
    const jobs = await client.enqueueMany(payloads.map((payload) => ({ kind: 'mail', payload })));
    for (const { id } of jobs) await ended(client, id);
    await OTEL.current.processed(4);
    const points = await OTEL.current.points();
    const unit = '{message}';
    expect(of(points, 'messaging.client.sent.messages')).toEqual([{ attributes: SEND, unit, value: 4 }]);
    expect(of(points, 'messaging.client.consumed.messages')).toEqual([
      { attributes: PROCESS, unit, value: 4 },
    ]);
    const failed = { [OUTCOME]: 'failed', 'error.type': 'PermanentError' };
    const durations = of(points, 'messaging.process.duration');
    expect(durations.toSorted((a, b) => b.value - a.value)).toEqual([
      { attributes: { ...PROCESS, [OUTCOME]: 'done' }, unit: 's', value: 3 },
      { attributes: { ...PROCESS, ...failed }, unit: 's', value: 1 },
    ]);
    const wait = { attributes: MAIL, unit: 's', value: 4 };
    expect(of(points, 'nestjs_typeorm_jobs.wait.duration')).toEqual([wait]);
    const duration = points.find(({ name }) => name === 'messaging.process.duration')!.value;
    expect((duration as { buckets: { boundaries: number[] } }).buckets.boundaries).toEqual([
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]);
  });

  it('tell how kinds fare, when they are collected', async () => {
    const app = await start({ imports: [telemetry({ kindsCacheMs: 0 })] });
    await app.get(JobClient).enqueue('slow');
    await until(() => seen.length === 1);
    // A worker tells every few seconds what it runs.
    let points: MeasuredPoint[] = [];
    const slow = (name: string) =>
      of(points, `nestjs_typeorm_jobs.${name}`).find(
        ({ attributes }) => attributes['messaging.destination.name'] === 'slow',
      );
    const isTold = async () => {
      points = await OTEL.current.points();
      return slow('running')?.value === 1;
    };
    await until(isTold, { everyMs: 100, what: '"the job is told to run"' });
    const attributes = { ...QUEUE, 'messaging.destination.name': 'slow' };
    expect(slow('running')).toEqual({ attributes, unit: '{job}', value: 1 });
    expect(slow('ready')).toEqual({ attributes, unit: '{job}', value: 0 });
    expect(slow('oldest_ready')).toEqual({ attributes, unit: 's', value: 0 });
    expect(slow('workers')).toEqual({ attributes, unit: '{worker}', value: 1 });
  });

  it('read the database only when they are collected, and at most once in a while', async () => {
    const app = await start({ imports: [telemetry({ kindsCacheMs: 3_600_000 })] });
    const before = await OTEL.current.points();
    await app.get(JobClient).enqueue('mail', 'a');
    await OTEL.current.processed(1);
    const gauges = (points: readonly MeasuredPoint[]) =>
      points.filter(({ name }) => /ready|workers/.test(name));
    expect(gauges(await OTEL.current.points())).toEqual(gauges(before));
  });

  it('can leave the cluster out', async () => {
    const app = await start({ imports: [telemetry({ clusterGauges: false })] });
    await app.get(JobClient).enqueue('mail', 'a');
    await OTEL.current.processed(1);
    const names = new Set((await OTEL.current.points()).map(({ name }) => name));
    expect(names).toContain('messaging.process.duration');
    expect(names).not.toContain('nestjs_typeorm_jobs.ready');
  });

  it('tell how late the event loop is', async () => {
    await start({ imports: [telemetry()] });
    const delays = async () => of(await OTEL.current.points(), 'nestjs_typeorm_jobs.event_loop.delay');
    let all: Awaited<ReturnType<typeof delays>> = [];
    await until(async () => (all = await delays()).length > 0, { everyMs: 50 });
    expect(all.map(({ attributes }) => attributes['nestjs_typeorm_jobs.stat'])).toEqual([
      'p50',
      'p99',
      'max',
    ]);
    // By turns: what blocks it right after a collection, before Node has looked once, is not seen.
    let isTurnToBlock = true;
    const isNoticed = async () => {
      isTurnToBlock = !isTurnToBlock;
      const blockedUntil = performance.now() + (isTurnToBlock ? 300 : 0);
      while (performance.now() < blockedUntil);
      if (!isTurnToBlock) all = await delays();
      return all.some(({ value }) => value > 0.2 && value < 30);
    };
    await until(isNoticed, { everyMs: 100, what: '"a blocked event loop is noticed"' });
    expect(all[0]!.unit).toBe('s');
  });

  it('count leases that are lost once, tries to write outcomes, and jobs of workers that died', async () => {
    const app = await start({ imports: [telemetry()] });
    const events = eventsOf(app);
    const job = { id: '4711', kind: 'mail', attemptsDone: 0 } as never;
    const error = new Error('no') as never;
    events.emit('lost', { job, error });
    events.emit('transactionLost', { job });
    events.emit('settleRefused', { job, outcome: { type: 'snoozed', delayMs: 0 }, failures: 0 });
    events.emit('settleRefused', {
      job: { kind: 'mail' } as never,
      outcome: { type: 'snoozed', delayMs: 0 },
      failures: 1,
    });
    events.emit('settleFailed', { jobs: [job, job], error });
    events.emit('reclaimed', { id: '4711', kind: 'mail', workerId: 'w', crashes: 1, status: 'PENDING' });
    events.emit('convicted', { id: '4712', kind: 'mail', workerId: 'w', crashes: 3, status: 'PANIC' });
    const points = await OTEL.current.points();
    const point = (value: number) => [{ attributes: MAIL, unit: '{job}', value }];
    expect(of(points, 'nestjs_typeorm_jobs.lease.losses')).toEqual(point(1));
    expect(of(points, 'nestjs_typeorm_jobs.settle.retries')).toEqual(point(2));
    expect(of(points, 'nestjs_typeorm_jobs.worker.losses')).toEqual(point(2));
  });

  it('have no id and nothing else without bounds among their labels', async () => {
    const app = await start({ imports: [telemetry()], options: { unknownKinds: 'allow' } });
    const client = app.get(JobClient);
    const { id } = await client.enqueue('mail', 'again');
    await ended(client, id);
    await client.enqueueMany(Array.from({ length: 1_500 }, (_, n) => ({ kind: `made up ${n}` })));
    await OTEL.current.processed(2);
    const points = await OTEL.current.points();
    const texts = points.flatMap(({ attributes }) => Object.values(attributes)) as string[];
    expect(texts.filter((text) => text.includes(id) || /-[0-9a-f]{8}$/.test(text))).toEqual([]);
    const labels = [...Object.keys(PROCESS), OUTCOME, 'error.type', 'nestjs_typeorm_jobs.stat'];
    const keys = new Set(points.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...keys].filter((key) => !labels.includes(key))).toEqual([]);
    const sent = of(points, 'messaging.client.sent.messages');
    expect(sent).toHaveLength(1_001);
    const other = sent.find(({ attributes }) => attributes['messaging.destination.name'] === '_OTHER');
    expect(other!.value).toBe(1_501 - 1_000);
  });
}
