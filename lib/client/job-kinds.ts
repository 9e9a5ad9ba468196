import { KindTimeoutError } from '../job/control-errors.js';
import { InvalidJobError } from '../job/errors.js';
import { requireName } from '../job/names.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { KindStore } from '../queue/kind-store.js';
import type { EnqueueTarget } from '../queue/transactions.js';
import { requireOptions } from './enqueue-arguments.js';
import { requirePauseOptions, type DrainKindOptions, type PauseKindOptions } from './kind-arguments.js';
import { knownKinds, statsOf, type KindStats } from './kind-stats.js';
import { liveWorkerOf, type LiveWorker } from './live-worker.js';
import { pollUntil } from './poll-until.js';
import { requireWaitOptions, type WaitTerms } from './wait-options.js';
import { targetOf, unlessClosed, type EnqueueManyOptions, type WriteTargetSettings } from './write-target.js';

/**
 * What operators say of kinds, and what there is to know of them in the whole cluster. Inject it by its type, or with
 * `@InjectJobKinds(name)`. Calls that write join the caller's transaction as `JobClient.enqueue` does.
 */
export class JobKinds {
  constructor(
    private readonly queue: JobQueue,
    private readonly settings: WriteTargetSettings = {},
  ) {}

  /**
   * Keeps workers from starting jobs of a kind, in the whole cluster and until `resume` or `until`, also over restarts and
   * deployments. `'*'` pauses all kinds. Jobs are enqueued as always, and schedules go on making them. Jobs that run go on,
   * unless `stopRunning` is set. A second pause replaces the `until`, the `reason` and the `stopRunning` of the first.
   *
   * ```ts
   * await kinds.pause('invoice.mail', { reason: 'The mail server is down.', wait: true });
   * ```
   *
   * @throws InvalidJobError; KindTimeoutError, and the reason of the signal, where `wait` is set. The kind is paused then.
   */
  async pause(kind: string, options?: PauseKindOptions): Promise<void> {
    const name = requireName(kind, 'kind');
    const order = requirePauseOptions(requireOptions(options));
    const target = this.targetOf(order.target);
    if (order.waits && target.manager?.queryRunner?.isTransactionActive === true)
      throw new InvalidJobError(
        'wait',
        'is set in a transaction, in which no worker sees the pause. Pause with { outside: true }, or wait after the commit.',
      );
    const changed = await this.unlessClosed(this.store.pause(name, order.terms, target));
    if (order.waits) await this.obeyed(name, changed, order.waiting);
  }

  /**
   * Ends the pause of a kind. That of `'*'` and those of single kinds end each by itself.
   *
   * @returns whether it was paused
   * @throws InvalidJobError
   */
  async resume(kind: string, options?: EnqueueManyOptions): Promise<boolean> {
    const name = requireName(kind, 'kind');
    const target = this.targetOf(requireOptions(options));
    return this.unlessClosed(this.store.resume(name, target));
  }

  /**
   * Resolves when no job of a kind is ready or running. Scheduled jobs and retries that are not due yet do not count. While
   * the kind is paused, ready jobs stay, so it waits until they may run.
   *
   * @throws InvalidJobError, KindTimeoutError, and the reason of the signal
   */
  async drain(kind: string, options?: DrainKindOptions): Promise<void> {
    const name = requireName(kind, 'kind');
    const { timeoutMs, signal } = requireWaitOptions(requireOptions(options), Infinity);
    const late = (cause: unknown) =>
      new KindTimeoutError(name, timeoutMs, 'still had jobs that were ready or running', [], { cause });
    const isDrained = () => this.store.isDrained(name);
    await pollUntil(isDrained, { timeoutMs, signal, isClosed: this.settings.isClosed }, late);
  }

  /** The live workers of the cluster by name, at most 1,000. One that died is listed for up to 45 seconds. */
  async workers(): Promise<LiveWorker[]> {
    return (await this.unlessClosed(this.store.workers())).map(liveWorkerOf);
  }

  /**
   * How each kind fares that something is known of: that was claimed in the last day, is served by a live worker, is
   * paused, or has jobs that could start. In the order of their names.
   */
  async list(): Promise<KindStats[]> {
    const looks = Promise.all([this.sources(null), this.store.dueKinds()]);
    const [sources, due] = await this.unlessClosed(looks);
    const kinds = knownKinds(sources, due);
    const backlog = await this.unlessClosed(this.store.backlog(kinds));
    return statsOf(kinds, { ...sources, backlog });
  }

  /** How a kind fares. @throws InvalidJobError */
  async stats(kind: string): Promise<KindStats> {
    const name = requireName(kind, 'kind');
    const sources = await this.unlessClosed(this.sources(name));
    const backlog = await this.unlessClosed(this.store.backlog([name]));
    const [stats] = statsOf([name], { ...sources, backlog });
    return stats!;
  }

  private async sources(kind: string | null) {
    const { store } = this;
    const [counts, workers, controls] = await Promise.all([
      store.counts(kind),
      this.workers(),
      store.controls(),
    ]);
    return { counts, workers, controls };
  }

  /** Waits until each live worker obeys a change. One that does not answer is waited for until it is live no more. */
  private async obeyed(kind: string, changed: number, { timeoutMs, signal }: WaitTerms): Promise<void> {
    let behind: readonly string[] = [];
    const isObeyed = async () => {
      behind = await this.store.behind(changed);
      return behind.length === 0;
    };
    const late = (cause: unknown) => {
      const problem = `is paused, but ${behind.length} workers have not said that they obey`;
      return new KindTimeoutError(kind, timeoutMs, problem, behind, { cause });
    };
    await pollUntil(isObeyed, { timeoutMs, signal, isClosed: this.settings.isClosed }, late);
  }

  /** Asked each time: a queue has another one when it has looked at the database. */
  private get store(): KindStore {
    return this.queue.kinds;
  }

  private targetOf(options: EnqueueManyOptions): EnqueueTarget {
    return targetOf(this.queue, options, this.settings.onUnjoined);
  }

  private unlessClosed<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return unlessClosed(this.settings, answer);
  }
}
