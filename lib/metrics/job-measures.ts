import type { AttemptEnd, AttemptWatch, JobsInstrument, Sending } from '../events/instrument.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { ClaimedJob, Job } from '../job/job.js';
import { KindSeries } from './kind-series.js';
import { LabelValues } from './label-values.js';
import type { CounterName, MetricSink } from './metric.js';

/** The ends of attempts that are errors: the others are what a handler or an operator asked for. */
const ERRORS: ReadonlySet<AttemptEnd['type']> = new Set(['retry', 'failed', 'panic', 'lost']);

/** Whether an attempt has ended with an error. */
export function isError({ type }: AttemptEnd): boolean {
  return ERRORS.has(type);
}

/** Measures what becomes of the jobs of this process. */
export class JobMeasures implements JobsInstrument {
  private readonly values = new LabelValues();
  private readonly series = new Map<string, KindSeries>();
  /** A lost lease may be noticed more than once. */
  private readonly lost = new WeakSet<ClaimedJob>();

  constructor(private readonly sink: MetricSink) {}

  /** Begins to measure. @returns a function that ends it */
  listenTo(events: JobsEvents): () => void {
    const ends = [
      events.instrumentWith(this),
      events.on('enqueued', ({ jobs }) => this.countByKind('sent', jobs)),
      events.on('settleFailed', ({ jobs }) => this.countByKind('settleRetries', jobs)),
      events.on('lost', ({ job }) => this.leaseLost(job)),
      events.on('transactionLost', ({ job }) => this.leaseLost(job)),
      // After a try without an answer, that one may have written the outcome.
      events.on('settleRefused', ({ job, failures }) => (failures === 0 ? this.leaseLost(job) : undefined)),
      ...(['reclaimed', 'convicted', 'reclaimedCancelled'] as const).map((event) =>
        events.on(event, (job) => this.countByKind('workerLosses', [job])),
      ),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** Counts what could not be enqueued. What was enqueued counts when it is committed. */
  async send({ kinds }: Sending, write: () => Promise<readonly Job[]>): Promise<void> {
    try {
      await write();
    } catch (error) {
      const errorType = this.values.errorType(error);
      for (const [series, count] of this.counted(kinds)) series.counter('sent', errorType)(count);
      throw error;
    }
  }

  traceContext(): undefined {
    return undefined;
  }

  process(job: ClaimedJob): AttemptWatch {
    const series = this.seriesOf(job.kind);
    const readyAt = Math.max(job.runAt.getTime(), job.createdAt.getTime());
    series.consumed(1);
    series.wait(Math.max(0, job.updatedAt.getTime() - readyAt) / 1000);
    const start = performance.now();
    return {
      ended: (end) => {
        const seconds = (performance.now() - start) / 1000;
        const errorType = isError(end) ? this.values.errorType(end.error) : undefined;
        series.duration(end.type, errorType)(seconds);
      },
    };
  }

  private leaseLost(job: ClaimedJob): void {
    if (this.lost.has(job)) return;
    this.lost.add(job);
    this.countByKind('leaseLosses', [job]);
  }

  private countByKind(counter: CounterName, jobs: readonly { readonly kind: string }[]): void {
    const kinds = jobs.map(({ kind }) => kind);
    for (const [series, count] of this.counted(kinds)) series.counter(counter)(count);
  }

  private counted(kinds: readonly string[]): ReadonlyMap<KindSeries, number> {
    const counts = new Map<KindSeries, number>();
    for (const kind of kinds) {
      const series = this.seriesOf(kind);
      counts.set(series, (counts.get(series) ?? 0) + 1);
    }
    return counts;
  }

  private seriesOf(kind: string): KindSeries {
    const label = this.values.kind(kind);
    let series = this.series.get(label);
    if (series === undefined) {
      series = new KindSeries(this.sink, label);
      this.series.set(label, series);
    }
    return series;
  }
}
