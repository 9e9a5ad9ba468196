import type { EnqueuerRecord, Lease, Row, WorkerRecord } from './records.js';

type Settle = Extract<WorkerRecord, { type: 'settle' }>;

/** How many of each there were, once everything was over. */
export interface Counts {
  readonly acknowledged: number;
  /** Acknowledged and not in the table. */
  readonly lost: number;
  /** Jobs for which two settlements were told that they are written. */
  readonly settledTwice: number;
  /** Outcomes that were acknowledged, and that the table does not show. */
  readonly vanished: number;
  /** Outcomes that were refused although nothing else had taken the lease. */
  readonly refused: number;
  /** Leases that a renewal was told are lost, although nothing else had taken or ended them. */
  readonly dropped: number;
  readonly pending: number;
  readonly startedTwice: number;
  /** Crashes that were counted. In these scenarios no worker dies. */
  readonly crashes: number;
  readonly refusedEnqueues: number;
  /** Refused enqueues whose job is there all the same: the answer was lost. */
  readonly refusedButThere: number;
  /** Reads right after an enqueue, and those of them that did not find the job. */
  readonly reads: number;
  readonly stale: number;
}

/** Compares what the processes wrote down with what the table says at the end. */
export class Evidence {
  private readonly rows: ReadonlyMap<string, Row>;
  private readonly claims = new Map<string, { token: number; at: number }[]>();
  private readonly settles: readonly Settle[];

  constructor(
    private readonly enqueuers: readonly EnqueuerRecord[],
    private readonly workers: readonly WorkerRecord[],
    rows: readonly Row[],
  ) {
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.settles = workers.filter((record) => record.type === 'settle');
    for (const record of workers) {
      if (record.type !== 'claim') continue;
      for (const { id, token } of record.leases)
        this.claims.set(id, [...(this.claims.get(id) ?? []), { token, at: record.at }]);
    }
  }

  /** When the first enqueue was acknowledged that was sent at this instant or later. */
  firstAcknowledgement(from: number): number | undefined {
    const sent = new Set(this.enqueuers.filter(({ type, at }) => type === 'send' && at >= from).map(idOf));
    return this.enqueuers.find((record) => isAcknowledged(record) && sent.has(record.id))?.at;
  }

  /** When a worker first got jobs at this instant or later. */
  firstClaim(from: number): number | undefined {
    const times = this.workers.filter(({ type, at }) => type === 'claim' && at >= from).map(({ at }) => at);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** For how long from this instant on calls of enqueuers were refused, in milliseconds. */
  refusedFor(from: number): number {
    const last = this.enqueuers.findLast((record) => isRefused(record) || record.type === 'read failed');
    return Math.max(0, (last?.at ?? from) - from);
  }

  /** Why calls of enqueuers were refused, with how often. */
  get reasons(): string[] {
    const counts = new Map<string, number>();
    for (const record of this.enqueuers)
      if ('error' in record && record.error !== undefined)
        counts.set(record.error, (counts.get(record.error) ?? 0) + 1);
    return [...counts].map(([reason, count]) => `${count} × ${reason}`);
  }

  get counts(): Counts {
    const acknowledged = this.enqueuers.filter(isAcknowledged).map(idOf);
    const refused = this.enqueuers.filter(isRefused).map(idOf);
    const written = this.settles.filter(({ answer }) => answer === 'written');
    const rows = [...this.rows.values()];
    const reads = this.enqueuers.filter((record) => record.type === 'read');
    return {
      acknowledged: acknowledged.length,
      lost: acknowledged.filter((id) => !this.rows.has(id)).length,
      settledTwice: repeated(written.map(idOf)),
      vanished: written.filter(({ id, token }) => this.rows.get(id)?.resultToken !== token).length,
      refused: this.settles.filter((settle) => this.isRefusedForNothing(settle)).length,
      dropped: this.workers.filter((record) => this.isDroppedForNothing(record)).length,
      pending: rows.filter(({ status }) => status === 'PENDING').length,
      startedTwice: repeated(this.workers.filter(({ type }) => type === 'start').map(idOf)),
      crashes: rows.reduce((sum, { crashes }) => sum + crashes, 0),
      refusedEnqueues: refused.length,
      refusedButThere: refused.filter((id) => this.rows.has(id)).length,
      reads: reads.length,
      stale: reads.filter(({ isThere }) => !isThere).length,
    };
  }

  /** A lease is lost to a later claim, or ended by an earlier try of the same settlement whose answer was lost. */
  private isRefusedForNothing({ id, token, answer, at }: Settle): boolean {
    if (answer !== 'lost' || this.isTaken({ id, token }, at)) return false;
    return !(this.hasFailedTry({ id, token }, at) && this.rows.get(id)?.resultToken === token);
  }

  /** A settlement or a release may have been on its way while the lease was renewed. */
  private isDroppedForNothing(record: WorkerRecord): boolean {
    if (record.type !== 'lost' || this.isTaken(record, record.at)) return false;
    const isEnd = (other: WorkerRecord) =>
      (other.type === 'release' ||
        (other.type === 'settle' && other.answer !== 'busy' && other.answer !== 'stale')) &&
      other.id === record.id &&
      other.token === record.token;
    return !this.workers.some(isEnd);
  }

  private isTaken({ id, token }: Lease, by: number): boolean {
    return this.claims.get(id)!.some((claim) => claim.token > token && claim.at <= by);
  }

  private hasFailedTry({ id, token }: Lease, before: number): boolean {
    return this.settles.some(
      (settle) =>
        settle.answer === 'failed' && settle.id === id && settle.token === token && settle.at <= before,
    );
  }
}

function isAcknowledged(record: EnqueuerRecord): boolean {
  return record.type === 'answer' && record.how === 'ok';
}

function isRefused(record: EnqueuerRecord): boolean {
  return record.type === 'answer' && record.how === 'refused';
}

function idOf(record: object): string {
  return (record as { id: string }).id;
}

function repeated(ids: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts.values()].filter((count) => count > 1).length;
}
