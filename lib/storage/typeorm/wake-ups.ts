import type { EncodedJob } from '../../job/encode-job.js';
import type { WakeListener } from '../../queue/job-queue.js';
import { NotifyingInserts } from './notifying-inserts.js';
import type { Notification, Notifier } from '../sql/notifier.js';

interface Awaited {
  readonly kind: string;
  readonly since: number;
}

/** How long a worker of this process may take to claim a job before others hear of it. */
const AWAIT_MS = 10;

/**
 * Wakes workers for jobs that have been committed here: those of this process at once, and others over the channel.
 * Where an idle worker of this process is about to claim a job that came alone, others hear of it only if it has not done so soon: a
 * notification takes a third of the work of an insert, and on the way to the start of the job it is in the way.
 */
export class WakeUps {
  private readonly listeners = new Set<WakeListener>();
  /** By id, the oldest first. */
  private readonly awaited = new Map<string, Awaited>();
  private timer: NodeJS.Timeout | undefined;
  private readonly inserts: NotifyingInserts;

  /** @param mayDoWithout whether an insert that failed wrote nothing, and may do so without its notification */
  constructor(
    private readonly channel: Notifier,
    mayDoWithout: (error: unknown) => boolean,
  ) {
    this.inserts = new NotifyingInserts(channel, mayDoWithout);
  }

  watch(listener: WakeListener): () => void {
    this.listeners.add(listener);
    this.channel.listen((kinds) => this.tell(kinds));
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) void this.channel.unlisten();
    };
  }

  /** Runs an insert of these jobs, which others hear of by its commit where nobody works in this process. */
  inserting<T>(jobs: readonly EncodedJob[], insert: (along?: Notification) => Promise<T>): Promise<T> {
    return this.listeners.size > 0 ? insert() : this.inserts.run(jobs, insert);
  }

  committed(jobs: readonly EncodedJob[]): void {
    const kinds = [...new Set(jobs.map(({ kind }) => kind))];
    const areTaken = this.tell(kinds);
    if (this.inserts.haveTold(jobs)) return;
    if (areTaken && jobs.length === 1) this.awaitClaim(jobs[0]!);
    else this.channel.notify(kinds);
  }

  /** These need nobody else any more. */
  claimed(jobs: readonly { readonly id: string }[]): void {
    if (this.awaited.size === 0) return;
    for (const { id } of jobs) this.awaited.delete(id);
  }

  async close(): Promise<void> {
    this.listeners.clear();
    this.notifyOfLate(Infinity);
    await this.channel.close();
  }

  private awaitClaim({ id, kind }: EncodedJob): void {
    this.awaited.set(id, { kind, since: performance.now() });
    this.timer ??= setTimeout(() => this.notifyOfLate(), AWAIT_MS);
  }

  /** @returns whether one of them is about to claim them */
  private tell(kinds: readonly string[] | null): boolean {
    let areTaken = false;
    for (const listener of this.listeners) if (listener(kinds) === true) areTaken = true;
    return areTaken;
  }

  /** Of what has not been claimed, and looks again while there is more to come. */
  private notifyOfLate(now = performance.now()): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const kinds = new Set<string>();
    for (const [id, { kind, since }] of this.awaited) {
      if (now - since < AWAIT_MS) {
        this.timer = setTimeout(() => this.notifyOfLate(), AWAIT_MS - (now - since));
        break;
      }
      this.awaited.delete(id);
      kinds.add(kind);
    }
    if (kinds.size > 0) this.channel.notify([...kinds]);
  }
}
