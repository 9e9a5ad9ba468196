import { KEEP_AUDIT_MS, type AuditStore } from '../queue/audit-store.js';
import type { ChoreRest } from '../queue/chore-store.js';
import type { Chore } from './chore.js';
import type { ChorePace } from './chore-pace.js';

const HOUR_MS = 3_600_000;

/** Deletes what people have done to jobs by hand, 90 days later. */
export class PruneAudit implements Chore {
  readonly name = 'audit';

  constructor(
    private readonly store: Pick<AuditStore, 'prune'>,
    private readonly pace: ChorePace,
  ) {}

  async run(signal: AbortSignal): Promise<ChoreRest> {
    while (!signal.aborted) {
      const count = await this.pace.batch(() => this.store.prune(KEEP_AUDIT_MS), signal);
      if (count === 0) return { dueInMs: HOUR_MS, reached: null };
    }
    return { dueInMs: 0, reached: null };
  }
}
