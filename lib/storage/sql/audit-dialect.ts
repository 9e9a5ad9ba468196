import type { AuditedAction, AuditedOutcome, AuditPage } from '../../queue/audit-store.js';
import type { Row, Sql } from './sql.js';

/** Statements about the audit; see the methods of `AuditStore`. */
export interface AuditDialect {
  begin(sql: Sql, action: AuditedAction): Promise<number>;
  end(sql: Sql, seq: number, outcome: AuditedOutcome): Promise<unknown>;
  read(sql: Sql, before: number | null, limit: number): Promise<AuditPage>;
  prune(sql: Sql, olderThanMs: number): Promise<number>;
}

/** From a row for each action, and one without a number where there is none; all tell the time in `now`. */
export function decodeActions(rows: readonly Row[]): AuditPage {
  const actions = rows
    .filter(({ seq }) => seq !== null)
    .map((row) => ({
      seq: Number(row.seq),
      atMs: Number(row.at),
      who: row.who as string,
      action: row.action as string,
      target: row.target as string,
      changed: row.changed === null ? null : Number(row.changed),
      problem: row.problem as string | null,
    }));
  return { actions, nowMs: Number(rows[0]!.now) };
}
