import type { DiagnosisDialect } from '../sql/dialect.js';
import { decodeOpenTransaction } from '../sql/row.js';
import { lacksPrivilege } from './errors.js';

export const diagnosis: DiagnosisDialect = {
  longTransaction: async (sql, ms) => {
    try {
      return decodeOpenTransaction(await sql.query(LONG_TRANSACTION, [ms]));
    } catch (error) {
      if (lacksPrivilege(error)) return null; // the sessions of others are not for it to see
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
