import type { QueryRunner } from 'typeorm';

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

/** Sends statements through a TypeORM query runner. They join its transaction if it has one. */
export function sqlThrough(queryRunner: Pick<QueryRunner, 'query'>): Sql {
  return {
    query: async (text, parameters = []) => {
      const { records } = await queryRunner.query(text, [...parameters], true);
      return (records as readonly Row[] | undefined) ?? [];
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
