import type { ExponentialPause } from './pauses.js';
import { sleep } from './timers.js';

/** Something that runs between its start and its stop. */
export interface Startable {
  start(): void | Promise<void>;
  /** Resolves when nothing of it runs any more. Never rejects. */
  stop(): Promise<void>;
}

/** What happens when the turn of a loop fails: it pauses and tries again, until it works. */
export interface LoopRetry {
  readonly pause: ExponentialPause;
  /** Waits for the length of a pause, in milliseconds. May end sooner, and must once the loop stops. Default: until the loop stops. */
  readonly wait?: (ms: number) => Promise<unknown>;
  /** @param failures how many turns have failed in a row, this one included */
  onFailure(error: unknown, failures: number): void;
  /** A turn has succeeded. @param failures how many had failed in a row before it */
  onRecovery?(failures: number): void;
}

/**
 * One turn of a loop. It waits for whatever it has to wait for, and ends soon after its signal has aborted.
 *
 * @param succeeded says before the end that the turn has succeeded; what fails after that counts as the first failure
 */
export type LoopTurn = (signal: AbortSignal, succeeded: () => void) => Promise<unknown>;

/** Runs a turn again and again, from `start` to `stop`. */
export class Loop implements Startable {
  private stopping: AbortController | undefined;
  private ended: Promise<void> = Promise.resolve();
  private failures = 0;

  /** @param turn may reject only where `retry` is given */
  constructor(
    private readonly turn: LoopTurn,
    private readonly retry?: LoopRetry,
  ) {}

  /** Begins with the first turn. Does nothing where the loop runs already. */
  start(): void {
    if (this.stopping !== undefined) return;
    this.stopping = new AbortController();
    this.ended = this.run(this.stopping.signal);
  }

  /** Aborts the signal of the turn under way, and resolves when that turn has ended. */
  async stop(): Promise<void> {
    const { stopping } = this;
    stopping?.abort();
    await this.ended;
    if (this.stopping === stopping) this.stopping = undefined;
  }

  private async run(signal: AbortSignal): Promise<void> {
    const succeeded = () => this.succeeded();
    while (!signal.aborted) {
      try {
        await this.turn(signal, succeeded);
        succeeded();
      } catch (error) {
        await this.failed(error, signal);
      }
    }
  }

  private succeeded(): void {
    if (this.failures === 0) return;
    this.retry?.onRecovery?.(this.failures);
    this.retry?.pause.reset();
    this.failures = 0;
  }

  private async failed(error: unknown, signal: AbortSignal): Promise<void> {
    if (this.retry === undefined) throw error;
    this.failures += 1;
    this.retry.onFailure(error, this.failures);
    const { pause, wait = (ms) => sleep(ms, signal) } = this.retry;
    await wait(pause.next());
  }
}
