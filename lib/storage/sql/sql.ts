import { QueryFailedError, QueryRunnerAlreadyReleasedError, type QueryRunner } from 'typeorm';
import { isIntercepted } from './intercepted-runner.js';
import { statementError } from './statement-error.js';

export type Row = Readonly<Record<string, unknown>>;

/** What a connection may use to send a statement faster. It may also ignore it. */
export interface QueryHints {
  /** The statement is sent so often that it is worth preparing. */
  readonly isFrequent?: boolean;
  /**
   * The best plan depends on what is in the table. Tells whether an answer found something: while nothing is found, the
   * table may still be empty.
   */
  readonly hasFound?: (rows: readonly Row[]) => boolean;
}

/** A connection to send statements through. */
export interface Sql {
  /** @returns the rows, if the statement returns any */
  query(text: string, parameters?: readonly unknown[], hints?: QueryHints): Promise<readonly Row[]>;
}

/** Sends a statement over a connection of the driver. */
export type Send = (
  connection: unknown,
  text: string,
  parameters: readonly unknown[],
  hints: QueryHints,
) => Promise<readonly Row[]>;

/**
 * Sends statements over the connection of a query runner, past TypeORM: its log belongs to the application. They join the
 * transaction that the query runner is in. Where its statements are intercepted, they go through its `query`.
 */
export function sqlOver(queryRunner: QueryRunner, send: Send): Sql {
  return {
    query: async (text, parameters = [], hints = {}) => {
      if (isIntercepted(queryRunner)) return sqlThrough(queryRunner).query(text, parameters);
      if (queryRunner.isReleased) throw new QueryRunnerAlreadyReleasedError();
      const connection: unknown = await queryRunner.connect();
      try {
        return await send(connection, text, parameters, hints);
      } catch (error) {
        throw statementError(text, error);
      }
    },
  };
}

/** Sends statements through the `query` of a query runner, as the application does. */
export function sqlThrough(queryRunner: Pick<QueryRunner, 'query'>): Sql {
  return {
    query: async (text, parameters = []) => {
      try {
        const { records } = await queryRunner.query(text, [...parameters], true);
        return (records as readonly Row[] | undefined) ?? [];
      } catch (error) {
        throw error instanceof QueryFailedError ? statementError(text, error) : error;
      }
    },
  };
}

/** Runs `work` between `begin` and COMMIT. Rolls back if it fails. */
export async function inTransaction<T>(
  sql: Sql,
  begin: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  for (const statement of begin) await sql.query(statement);
  try {
    const result = await work();
    await sql.query('COMMIT');
    return result;
  } catch (error) {
    // This fails if the connection is gone, and then there is nothing left to roll back.
    await sql.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
