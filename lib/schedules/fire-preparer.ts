import type { UpcomingSchedule } from '../queue/schedule-store.js';
import type { FireMaker, PreparedFire } from './fire-maker.js';
import type { ScheduleFailures } from './schedule-failures.js';

interface Preparation {
  /** Set when it is ready. */
  fire?: PreparedFire;
}

/**
 * Makes the jobs of ticks that are due. Payloads may be made by functions of the user, which take their time, fail or
 * never end: each schedule is by itself, and holds up no other.
 */
export class FirePreparer {
  private readonly preparing = new Map<string, Preparation>();

  /** @param onReady called when one is ready, or has failed */
  constructor(
    private readonly maker: Pick<FireMaker, 'fireOf'>,
    private readonly failures: ScheduleFailures,
    private readonly onReady: () => void,
  ) {}

  /** The schedules that are being prepared, or ready. */
  get names(): readonly string[] {
    return [...this.preparing.keys()];
  }

  /** Resolves when all of these are ready or have failed. Never rejects. */
  async prepare(due: readonly UpcomingSchedule[]): Promise<void> {
    // The queued tick of a schedule comes before its next one.
    const queuedFirst = due.toSorted((one, other) => Number(other.isQueueFree) - Number(one.isQueueFree));
    const begun = queuedFirst.flatMap((one) => {
      const { name } = one.schedule;
      if (this.preparing.has(name)) return [];
      const preparation: Preparation = {};
      this.preparing.set(name, preparation);
      return this.prepareOne(one, preparation);
    });
    await Promise.all(begun);
  }

  /** Those that are ready. */
  take(): readonly PreparedFire[] {
    const ready = [...this.preparing.values()].flatMap(({ fire }) => fire ?? []);
    for (const { name } of ready) this.preparing.delete(name);
    return ready;
  }

  /** Forgets everything. What is being prepared ends by itself, and is thrown away. */
  clear(): void {
    this.preparing.clear();
  }

  private async prepareOne(one: UpcomingSchedule, preparation: Preparation): Promise<void> {
    const { name, kind, queuedTick, nextAt } = one.schedule;
    const isWanted = () => this.preparing.get(name) === preparation;
    try {
      const fire = await this.maker.fireOf(one);
      if (isWanted()) preparation.fire = fire;
    } catch (error) {
      if (!isWanted()) return;
      this.preparing.delete(name);
      this.failures.failed({ name, kind, fire: { at: (one.isQueueFree ? queuedTick : nextAt)! } }, error);
    }
    this.onReady();
  }
}
