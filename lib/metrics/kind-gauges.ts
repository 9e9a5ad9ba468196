import { answeredWithin } from '../async/timers.js';
import type { JobKinds } from '../client/job-kinds.js';
import type { KindStats } from '../client/kind-stats.js';
import { JobsError } from '../job/errors.js';
import { LabelValues } from './label-values.js';
import type { GaugeName, GaugeReading, GaugeSource } from './metric.js';

/** Who collects waits no longer than this for a database that is in trouble. */
const READ_MS = 5_000;

/**
 * How kinds fare in the whole cluster. It is read when somebody collects, and kept for a while: a second collection soon
 * after, or one by another library, costs nothing.
 */
export class KindGauges implements GaugeSource {
  readonly gauges: readonly GaugeName[] = ['ready', 'oldestReady', 'running', 'workers'];
  private readonly values = new LabelValues();
  private reading: Promise<readonly GaugeReading[]> | undefined;
  private readAt = -Infinity;

  /** @param cacheMs for how long a reading is kept, in milliseconds */
  constructor(
    private readonly kinds: Pick<JobKinds, 'list'>,
    private readonly cacheMs: number,
  ) {}

  read(): Promise<readonly GaugeReading[]> {
    const now = performance.now();
    if (this.reading === undefined || now - this.readAt >= this.cacheMs) {
      this.readAt = now;
      this.reading = this.readings();
    }
    return this.reading;
  }

  private async readings(): Promise<readonly GaugeReading[]> {
    const late = () => new JobsError(`The database did not tell within ${READ_MS} ms how kinds fare.`);
    try {
      const stats = await answeredWithin(this.kinds.list(), READ_MS, late);
      return stats.flatMap((one) => this.readingsOf(one));
    } catch {
      this.readAt = -Infinity; // the next collection asks again; a gauge that is missing says enough
      return [];
    }
  }

  private readingsOf({ kind: name, ready, oldestReadyMs, running, workers }: KindStats): GaugeReading[] {
    const labels = { kind: this.values.kind(name) };
    return [
      { gauge: 'ready', value: ready.value, labels },
      { gauge: 'oldestReady', value: (oldestReadyMs ?? 0) / 1000, labels },
      { gauge: 'running', value: running, labels },
      { gauge: 'workers', value: workers, labels },
    ];
  }
}
