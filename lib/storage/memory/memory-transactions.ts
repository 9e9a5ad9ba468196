import type { DataSource, QueryRunner } from 'typeorm';
import type { EnqueueTarget } from '../../queue/transactions.js';
import { CommitWatcher } from '../transactions/commit-watcher.js';
import { dataSourceOf } from '../transactions/typeorm-compat.js';
import type { Stored } from './memory-job.js';

/** The transactions of callers, and the jobs that appear with their commits. */
export class MemoryTransactions {
  private readonly commits = new Map<DataSource, CommitWatcher>();
  /** The jobs that a callback adds or changes when its transaction is committed. */
  private readonly uncommitted = new WeakMap<() => void, readonly Stored[]>();

  close(): void {
    for (const commits of this.commits.values()) commits.close();
    this.commits.clear();
  }

  /**
   * Calls back with the commit of the target, or at once where it is no transaction.
   * @param changed jobs as the transaction sees them until then
   */
  afterCommit({ manager }: EnqueueTarget, callback: () => void, changed: readonly Stored[] = []): void {
    const queryRunner = manager?.queryRunner;
    if (queryRunner?.isTransactionActive !== true) callback();
    else this.atEnd(queryRunner, changed, callback);
  }

  /** Calls back at the end of a transaction, of which these jobs are a part until then. */
  atEnd(
    queryRunner: QueryRunner,
    uncommitted: readonly Stored[],
    onCommit: () => void,
    onRollback?: () => void,
  ): void {
    this.uncommitted.set(onCommit, uncommitted);
    this.commitsOf(queryRunner).afterCommit(queryRunner, onCommit, onRollback);
  }

  /** The jobs that the transaction of a target adds or changes with its commit, the newest last. */
  uncommittedIn({ manager }: EnqueueTarget = {}): readonly Stored[] {
    const queryRunner = manager?.queryRunner;
    if (queryRunner?.isTransactionActive !== true) return [];
    const callbacks = this.commitsOf(queryRunner).callbacksOf(queryRunner);
    return callbacks.flatMap((onCommit) => this.uncommitted.get(onCommit) ?? []);
  }

  private commitsOf(queryRunner: QueryRunner): CommitWatcher {
    const dataSource = dataSourceOf(queryRunner);
    let commits = this.commits.get(dataSource);
    if (commits === undefined) this.commits.set(dataSource, (commits = new CommitWatcher(dataSource)));
    return commits;
  }
}
