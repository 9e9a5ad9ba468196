import {
  AUDIT_PRUNED,
  AuditStore,
  type AuditedAction,
  type AuditedOutcome,
  type AuditPage,
  type StoredAction,
} from '../../queue/audit-store.js';

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a list is not */

/** What people have done to jobs by hand, in memory. */
export class MemoryAudit extends AuditStore {
  private actions: StoredAction[] = [];
  private seq = 0;

  /** @param now the queue's clock */
  constructor(private readonly now: () => number) {
    super();
  }

  async begin({ who, action, target }: AuditedAction): Promise<number> {
    const seq = ++this.seq;
    this.actions.push({ seq, atMs: this.now(), who, action, target, changed: null, problem: null });
    return seq;
  }

  async end(seq: number, { changed, problem }: AuditedOutcome): Promise<void> {
    this.actions = this.actions.map((one) => (one.seq === seq ? { ...one, changed, problem } : one));
  }

  async read(before: number | null, limit: number): Promise<AuditPage> {
    const wanted = this.actions.filter(({ seq }) => before === null || seq < before);
    return { actions: wanted.toReversed().slice(0, limit), nowMs: this.now() };
  }

  async prune(olderThanMs: number): Promise<number> {
    const until = this.now() - olderThanMs;
    const old = this.actions.slice(0, AUDIT_PRUNED).filter(({ atMs }) => atMs < until);
    this.actions = this.actions.slice(old.length);
    return old.length;
  }
}
