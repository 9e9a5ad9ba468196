import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import { CommitWatcher } from '../../../../lib/storage/transactions/commit-watcher.js';

/** A query runner that counts nested transactions and tells subscribers as TypeORM does: with the depth lowered already. */
class Connection {
  transactionDepth = 0;

  constructor(private readonly dataSource: { subscribers: EntitySubscriberInterface[] }) {}

  start(): void {
    this.transactionDepth += 1;
    this.tell('afterTransactionStart');
  }

  commit(): void {
    this.transactionDepth -= 1;
    this.tell('afterTransactionCommit');
  }

  rollback(): void {
    this.transactionDepth -= 1;
    this.tell('afterTransactionRollback');
  }

  get asQueryRunner(): QueryRunner {
    return this as unknown as QueryRunner;
  }

  private tell(event: 'afterTransactionStart' | 'afterTransactionCommit' | 'afterTransactionRollback'): void {
    for (const subscriber of [...this.dataSource.subscribers]) {
      void subscriber[event]?.({ queryRunner: this.asQueryRunner } as never);
    }
  }
}

let dataSource: { subscribers: EntitySubscriberInterface[] };
let watcher: CommitWatcher;
let connection: Connection;
let calls: string[];

const enqueue = (name: string, on = connection): void =>
  watcher.afterCommit(on.asQueryRunner, () => calls.push(name));

beforeEach(() => {
  dataSource = { subscribers: [] };
  watcher = new CommitWatcher(dataSource as DataSource);
  connection = new Connection(dataSource);
  calls = [];
});

describe('CommitWatcher', () => {
  it('calls after the commit, in order, and once', () => {
    connection.start();
    enqueue('a');
    enqueue('b');
    expect(calls).toEqual([]);
    connection.commit();
    expect(calls).toEqual(['a', 'b']);
    connection.start();
    connection.commit();
    expect(calls).toEqual(['a', 'b']);
  });

  it('never calls after a rollback', () => {
    connection.start();
    enqueue('a');
    connection.rollback();
    connection.start();
    connection.commit();
    expect(calls).toEqual([]);
  });

  it('waits for the outermost commit where the enqueue was within a savepoint', () => {
    connection.start();
    connection.start();
    enqueue('a');
    connection.commit();
    expect(calls).toEqual([]);
    connection.commit();
    expect(calls).toEqual(['a']);
  });

  it('forgets only what was within the savepoint that was rolled back', () => {
    connection.start();
    enqueue('outer');
    connection.start();
    enqueue('inner');
    connection.start();
    enqueue('innermost');
    connection.rollback();
    connection.rollback();
    enqueue('after');
    connection.commit();
    expect(calls).toEqual(['outer', 'after']);
  });

  it('forgets what a released savepoint handed to a transaction that is then rolled back', () => {
    connection.start();
    connection.start();
    connection.start();
    enqueue('a');
    connection.commit(); // now the savepoint above has it
    connection.rollback();
    enqueue('b');
    connection.commit();
    expect(calls).toEqual(['b']);
  });

  it('keeps a released savepoint of a later one apart', () => {
    connection.start();
    connection.start();
    enqueue('a');
    connection.commit();
    connection.start();
    connection.rollback(); // another savepoint at the same depth
    connection.commit();
    expect(calls).toEqual(['a']);
  });

  it('forgets what a transaction left behind whose connection died in it', () => {
    connection.start();
    enqueue('lost');
    connection.transactionDepth = 0; // the pool hands it out anew, nobody was told of an end
    connection.start();
    enqueue('new');
    connection.commit();
    expect(calls).toEqual(['new']);
  });

  it('keeps connections apart', () => {
    const other = new Connection(dataSource);
    connection.start();
    other.start();
    enqueue('a');
    enqueue('b', other);
    other.rollback();
    connection.commit();
    expect(calls).toEqual(['a']);
  });

  it('subscribes once, also after the DataSource has lost its subscribers, and not before it is used', () => {
    expect(dataSource.subscribers).toHaveLength(0);
    connection.start();
    enqueue('a');
    enqueue('b');
    expect(dataSource.subscribers).toHaveLength(1);
    dataSource.subscribers = []; // destroyed and initialized again
    connection = new Connection(dataSource);
    connection.start();
    enqueue('c');
    connection.commit();
    expect(calls).toEqual(['c']);
  });

  it('leaves the subscribers of others alone when it is closed', () => {
    const others: EntitySubscriberInterface = {};
    dataSource.subscribers.push(others);
    connection.start();
    enqueue('a');
    watcher.close();
    expect(dataSource.subscribers).toEqual([others]);
    watcher.close();
    expect(dataSource.subscribers).toEqual([others]);
  });
});
