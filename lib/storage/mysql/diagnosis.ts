import { driverErrorOf } from '../sql/database-errors.js';
import type { DiagnosisDialect } from '../sql/dialect.js';
import { decodeOpenTransaction } from '../sql/row.js';

/** The account lacks the privilege PROCESS, as that of an application usually does. */
const ER_SPECIFIC_ACCESS_DENIED_ERROR = 1227;

export const diagnosis: DiagnosisDialect = {
  longTransaction: async (sql, ms) => {
    try {
      return decodeOpenTransaction(await sql.query(LONG_TRANSACTION, [ms]));
    } catch (error) {
      const { errno } = driverErrorOf(error) as { readonly errno?: unknown };
      if (errno === ER_SPECIFIC_ACCESS_DENIED_ERROR) return null;
      throw error;
    }
  },
};

const LONG_TRANSACTION = `
  SELECT TIMESTAMPDIFF(MICROSECOND, trx_started, NOW(6)) / 1000 AS open_ms,
    CONCAT('connection ', trx_mysql_thread_id) AS description
  FROM information_schema.innodb_trx
  WHERE trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) AND trx_started < NOW(6) - INTERVAL ? * 1000 MICROSECOND
  ORDER BY trx_started LIMIT 1`;
