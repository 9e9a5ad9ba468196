import { Batcher } from '../async/batcher.js';
import type { Startable } from '../async/loop.js';
import { sleep } from '../async/timers.js';
import type { JobEditor } from '../queue/job-editor.js';
import type { LeaseKeeper } from './lease-keeper.js';

/** Between two looks. Who can notify can send as many hints as it likes. */
const PAUSE_MS = 100;

/** Hears that running jobs may have been asked to end, and has their leases renewed: the answer tells. */
export class StopHints implements Startable {
  private readonly stopping = new AbortController();
  private readonly batcher = new Batcher<readonly string[] | null>({
    count: (waiting) => waiting.length,
    send: (hints) => this.check(hints),
  });
  private unwatch: (() => void) | undefined;

  constructor(
    private readonly editor: Pick<JobEditor, 'watchStops'>,
    private readonly leases: Pick<LeaseKeeper, 'checkStops'>,
  ) {}

  start(): void {
    this.unwatch = this.editor.watchStops((ids) => this.batcher.add(ids));
  }

  /** Does not wait for a look that is under way. */
  stop(): Promise<void> {
    this.unwatch?.();
    this.batcher.clear();
    this.stopping.abort();
    return Promise.resolve();
  }

  private async check(hints: readonly (readonly string[] | null)[]): Promise<void> {
    await this.leases.checkStops(hints.includes(null) ? null : hints.flatMap((ids) => ids ?? []));
    await sleep(PAUSE_MS, this.stopping.signal);
  }
}
