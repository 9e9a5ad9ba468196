import type { QueryRunner } from 'typeorm';
import { sharedByCopies } from '../../job/copies.js';

/** `QueryRunner.query`, whatever it is called with. */
export type Query = (...args: readonly unknown[]) => Promise<unknown>;

/** A handler's transaction and an enqueue in it may come from two copies of the package. Both must keep the gate. */
const intercepted = sharedByCopies('interceptedRunners', () => new WeakSet<QueryRunner>());

/**
 * Lets every statement of a query runner, TypeORM's own included, go through `query` from now on. Code that knows a way
 * past `queryRunner.query` must ask `isIntercepted` and not take it.
 *
 * @returns what sends statements as before
 */
export function interceptQueries(queryRunner: QueryRunner, query: Query): Query {
  const send = queryRunner.query.bind(queryRunner) as QueryRunner['query'] & Query;
  queryRunner.query = query as QueryRunner['query'];
  intercepted.add(queryRunner);
  return send;
}

/** Whether all statements of this query runner must go through its `query`. */
export function isIntercepted(queryRunner: QueryRunner): boolean {
  return intercepted.has(queryRunner);
}
