import { UnsupportedDatabaseError } from '../../../job/storage-errors.js';
import type { Sql } from '../../sql/sql.js';

/**
 * The schema in which an unnamed one is found or made: that of the first table of this name in the search path, or else
 * the first of the path. Every process thus has one name for the table, its lock and its channel, and statements reach it
 * whatever the search path of a connection is later.
 *
 * @throws UnsupportedDatabaseError if the search path has no schema that exists
 */
export async function homeOf(sql: Sql, table: string): Promise<string> {
  const [row] = await sql.query(HOME, [table]);
  if (row!.home !== null) return row!.home as string;
  throw new UnsupportedDatabaseError(
    `Jobs cannot be kept here: no schema of search_path = ${String(row!.search_path)} exists. ` +
      'Set the option "schema" of JobsModule, or make one of these schemas.',
  );
}

const HOME = `
  SELECT coalesce((
    SELECT home.nspname
    FROM pg_class AS found JOIN pg_namespace AS home ON home.oid = found.relnamespace
    WHERE found.relname = $1 AND found.relkind IN ('r', 'p', 'v', 'm', 'f') AND home.nspname = ANY (current_schemas(false))
    ORDER BY array_position(current_schemas(false), home.nspname) LIMIT 1
  ), current_schema()) AS home, current_setting('search_path') AS search_path`;
