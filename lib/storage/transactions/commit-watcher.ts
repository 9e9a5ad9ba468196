import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';

interface Waiting {
  /** How deep in nested transactions the enqueue was: 1 in the outermost, 2 within its first savepoint. */
  depth: number;
  readonly onCommit: () => void;
  readonly onRollback?: () => void;
}

/**
 * Tells when the transaction of a query runner has really been committed: its outermost COMMIT, with no savepoint in
 * between that was rolled back.
 *
 * TypeORM tells its subscribers of each commit and rollback, savepoints included, when it has already lowered
 * `transactionDepth`. It tells nothing if the connection dies, or if the application sends COMMIT by itself. Then the
 * callbacks are never called.
 */
export class CommitWatcher {
  private readonly waiting = new WeakMap<QueryRunner, Waiting[]>();
  private readonly subscriber: EntitySubscriberInterface = {
    afterTransactionStart: ({ queryRunner }) => this.started(queryRunner),
    afterTransactionCommit: ({ queryRunner }) => this.committed(queryRunner),
    afterTransactionRollback: ({ queryRunner }) => this.rolledBack(queryRunner),
  };

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Calls `onCommit` after the transaction that `queryRunner` is in, or `onRollback` after its rollback, or that of the
   * savepoint. They must not throw: it has happened.
   */
  afterCommit(queryRunner: QueryRunner, onCommit: () => void, onRollback?: () => void): void {
    this.subscribe();
    const waiting = this.waiting.get(queryRunner) ?? [];
    waiting.push({ depth: depthOf(queryRunner), onCommit, ...(onRollback && { onRollback }) });
    this.waiting.set(queryRunner, waiting);
  }

  /** The callbacks that wait for the commit of the transaction that `queryRunner` is in. */
  callbacksOf(queryRunner: QueryRunner): readonly (() => void)[] {
    return this.waiting.get(queryRunner)?.map(({ onCommit }) => onCommit) ?? [];
  }

  close(): void {
    const index = this.dataSource.subscribers.indexOf(this.subscriber);
    if (index >= 0) this.dataSource.subscribers.splice(index, 1);
  }

  /** Each time: a DataSource that was destroyed and initialized again has lost its subscribers. */
  private subscribe(): void {
    if (!this.dataSource.subscribers.includes(this.subscriber))
      this.dataSource.subscribers.push(this.subscriber);
  }

  /** An earlier transaction may have left callbacks behind, on a connection that died in it. */
  private started(queryRunner: QueryRunner): void {
    if (depthOf(queryRunner) === 1) this.undo(queryRunner, 0);
  }

  private committed(queryRunner: QueryRunner): void {
    const waiting = this.waiting.get(queryRunner);
    if (waiting === undefined) return;
    const depth = depthOf(queryRunner);
    if (depth === 0) {
      this.waiting.delete(queryRunner);
      for (const { onCommit } of waiting) onCommit();
      return;
    }
    for (const entry of waiting) entry.depth = Math.min(entry.depth, depth);
  }

  private rolledBack(queryRunner: QueryRunner): void {
    this.undo(queryRunner, depthOf(queryRunner));
  }

  /** What was to wait for a commit deeper than that has been undone, the last first. */
  private undo(queryRunner: QueryRunner, depth: number): void {
    const waiting = this.waiting.get(queryRunner) ?? [];
    const left = waiting.filter((entry) => entry.depth <= depth);
    if (left.length === 0) this.waiting.delete(queryRunner);
    else this.waiting.set(queryRunner, left);
    for (const { onRollback } of waiting.filter((entry) => entry.depth > depth).toReversed()) onRollback?.();
  }
}

/** Every driver of TypeORM counts it. The interface does not show it. */
export function depthOf(queryRunner: QueryRunner): number {
  return (queryRunner as QueryRunner & { transactionDepth: number }).transactionDepth;
}
