import type { QueryRunner } from 'typeorm';

/** `QueryRunner.query`, whatever it is called with. */
export type Query = (...args: readonly unknown[]) => Promise<unknown>;

/** The same symbol in every copy of the package: a handler's transaction and an enqueue in it may be of two copies. */
const INTERCEPTED = Symbol.for('nestjs-typeorm-jobs.intercepted');

type Interceptable = QueryRunner & { [INTERCEPTED]?: true };

/**
 * Lets every statement of a query runner, TypeORM's own included, go through `query` from now on. Code that knows a way
 * past `queryRunner.query` must ask `isIntercepted` and not take it.
 *
 * @returns what sends statements as before
 */
export function interceptQueries(queryRunner: QueryRunner, query: Query): Query {
  const send = queryRunner.query.bind(queryRunner) as QueryRunner['query'] & Query;
  queryRunner.query = query as QueryRunner['query'];
  (queryRunner as Interceptable)[INTERCEPTED] = true;
  return send;
}

/** Whether all statements of this query runner must go through its `query`. */
export function isIntercepted(queryRunner: QueryRunner): boolean {
  return (queryRunner as Interceptable)[INTERCEPTED] === true;
}
