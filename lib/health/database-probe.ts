import { answeredWithin } from '../async/timers.js';
import { describeError } from '../job/describe-error.js';
import { DatabaseTimeoutError } from '../job/storage-errors.js';
import type { HealthProblem } from './health-report.js';

/** What the database has answered, or why there is no answer. */
export type Probed<Answer> =
  { readonly answer: Answer; readonly ms: number } | { readonly problem: HealthProblem };

/**
 * Asks the database within a time limit. A question that is still under way is not asked again, so that the checks of an
 * outage do not pile up behind each other.
 */
export class DatabaseProbe<Answer> {
  private underWay: Promise<Answer> | undefined;

  constructor(
    private readonly ask: () => Promise<Answer>,
    private readonly timeoutMs: number,
  ) {}

  async answer(): Promise<Probed<Answer>> {
    const askedAt = performance.now();
    try {
      const answer = await answeredWithin(
        this.asked(),
        this.timeoutMs,
        () => new DatabaseTimeoutError(this.timeoutMs),
      );
      return { answer, ms: performance.now() - askedAt };
    } catch (error) {
      const text =
        error instanceof DatabaseTimeoutError ? this.late : describeError(error).split('\n', 1)[0]!;
      return { problem: { code: 'database-unreachable', text } };
    }
  }

  private get late(): string {
    return `The database has not answered within ${this.timeoutMs} ms.`;
  }

  private asked(): Promise<Answer> {
    this.underWay ??= this.ask().finally(() => (this.underWay = undefined));
    return this.underWay;
  }
}
