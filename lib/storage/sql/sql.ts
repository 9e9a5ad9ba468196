import type { QueryRunner } from 'typeorm';

export type Row = Readonly<Record<string, unknown>>;

/** A connection to send statements through. */
export interface Sql {
  /** @returns the rows, where the statement gives any */
  query(text: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
  /** As `query`, for a statement that is worth preparing. */
  queryPrepared: QueryPrepared<readonly Row[]>;
}

export interface PreparedOptions {
  /**
   * The best plan depends on what is in a table. The server makes it anew after answers that took long, and now and
   * then among the answers of which this says that they found something: without them the table may be empty still.
   */
  readonly planAges?: (rows: readonly Row[]) => boolean;
}

type QueryPrepared<Answer> = (
  text: string,
  parameters: readonly unknown[],
  options?: PreparedOptions,
) => Promise<Answer>;

/** Sends a statement prepared, or answers null where it must be sent as it is; see `PreparedStatements.on`. */
export type PreparedOn = QueryPrepared<readonly Row[] | null>;

/** Sends statements through a TypeORM query runner, whose transaction they join if it has one. */
export function sqlThrough(queryRunner: Pick<QueryRunner, 'query'>, prepared?: PreparedOn): Sql {
  const query: Sql['query'] = async (text, parameters = []) => {
    const { records } = await queryRunner.query(text, [...parameters], true);
    return (records as readonly Row[] | undefined) ?? [];
  };
  return {
    query,
    queryPrepared: async (text, parameters, options) =>
      (await prepared?.(text, parameters, options)) ?? query(text, parameters),
  };
}

/** Runs `work` between `begin` and COMMIT; rolls back where it fails. */
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
    // Fails where the connection is gone, and then there is nothing left to roll back.
    await sql.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
