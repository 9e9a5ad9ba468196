import { Loop, type Startable } from '../async/loop.js';
import { ExponentialPause, jittered } from '../async/pauses.js';
import { after, sleep } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { ChoreRest, ChoreStore, TakenChore } from '../queue/chore-store.js';
import type { Chore } from './chore.js';

/** How often a worker looks whether a chore is due that no other has taken: with one statement for all of them. */
const LOOK_EVERY_MS = 60_000;
/** A chore that is not finished by then lets others have their turn. */
const TURN_MS = 10_000;
/** Longer than a turn and the statement that is under way at its end. A worker that dies holds up a chore no longer. */
const HOLD_MS = 60_000;
/** After a chore has failed. */
const RETRY_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;

/** Does the chores of the cluster whose turn it is, in every worker; the storage decides which worker does one. */
export class ChoreLoop implements Startable {
  private readonly loop = new Loop((signal) => this.turn(signal), {
    pause: new ExponentialPause(FIRST_PAUSE_MS, LOOK_EVERY_MS),
    onFailure: (error, failures) => this.events.emit('choreFailed', { error, failures }),
  });
  private readonly failures = new Map<string, number>();
  private restMs: number;
  private readonly turnMs: number;

  /** @param timing for tests */
  constructor(
    private readonly chores: readonly Chore[],
    private readonly store: ChoreStore,
    private readonly holder: string,
    private readonly events: JobsEvents,
    private readonly timing: ChoreTiming = {},
  ) {
    this.restMs = this.lookEveryMs;
    this.turnMs = timing.turnMs ?? TURN_MS;
  }

  /** Does nothing where there are no chores. */
  start(): void {
    if (this.chores.length > 0) this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private get lookEveryMs(): number {
    return this.timing.lookEveryMs ?? LOOK_EVERY_MS;
  }

  private async turn(signal: AbortSignal): Promise<void> {
    if (!(await sleep(jittered(this.restMs), signal))) return;
    this.restMs = this.lookEveryMs;
    const due = await this.store.due(this.chores.map(({ name }) => name));
    for (const name of due) {
      if (signal.aborted) return;
      const chore = this.chores.find((one) => one.name === name)!;
      if (await this.doOnce(chore, signal)) this.restMs = 0; // there may be more
    }
  }

  /** @returns whether it was free and has been done */
  private async doOnce(chore: Chore, signal: AbortSignal): Promise<boolean> {
    const taken = await this.store.take(chore.name, this.holder, HOLD_MS);
    if (taken === null) return false;
    const rest = await this.run(chore, signal, taken);
    await this.store.giveBack(chore.name, this.holder, rest);
    return true;
  }

  private async run(chore: Chore, signal: AbortSignal, taken: TakenChore): Promise<ChoreRest> {
    const turn = new AbortController();
    const end = () => turn.abort();
    const cancel = after(this.turnMs, end);
    signal.addEventListener('abort', end, { once: true });
    try {
      const rest = await chore.run(turn.signal, taken);
      this.failures.delete(chore.name);
      return rest;
    } catch (error) {
      const failures = (this.failures.get(chore.name) ?? 0) + 1;
      this.failures.set(chore.name, failures);
      this.events.emit('choreFailed', { chore: chore.name, error, failures });
      return { dueInMs: RETRY_MS, reached: taken.reached };
    } finally {
      signal.removeEventListener('abort', end);
      cancel();
    }
  }
}

export interface ChoreTiming {
  /** Default: a minute. */
  readonly lookEveryMs?: number;
  /** Default: 10 seconds. */
  readonly turnMs?: number;
}
