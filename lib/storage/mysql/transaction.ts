import { inTransaction, type Sql } from '../sql/sql.js';

/** Under REPEATABLE READ, the default, a locking read would lock the gaps between rows and hold up inserts. */
const BEGIN = ['SET TRANSACTION ISOLATION LEVEL READ COMMITTED', 'START TRANSACTION'];

/** Runs `work` in a short transaction of its own. */
export function inOwnTransaction<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
  return inTransaction(sql, BEGIN, work);
}
