import type { DiagnosisDialect } from '../sql/dialect.js';
import { decodeOpenTransaction } from '../sql/row.js';

export const diagnosis: DiagnosisDialect = {
  longTransaction: async (sql, ms) => decodeOpenTransaction(await sql.query(LONG_TRANSACTION, [ms])),
};

/* Only sessions of this database keep its dead rows alive. Vacuum itself does not. */
const LONG_TRANSACTION = `
  SELECT date_part('epoch', now() - xact_start) * 1000 AS open_ms,
    concat_ws(', ', 'process ' || pid, nullif(application_name, ''), state) AS description
  FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND query NOT ILIKE 'vacuum%'
    AND xact_start < now() - $1::float8 * interval '1 millisecond'
  ORDER BY xact_start LIMIT 1`;
