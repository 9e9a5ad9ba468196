import type { JobsTable } from '../sql/dialect.js';
import type { WantedIndex } from '../sql/inspection-dialect.js';
import { SIDE_TABLE_KEYS, sideTable, type SideTable } from '../sql/side-tables.js';

/** The indexes that the statements of this room need, with what makes each again. */
export function wantedIndexes(jobs: JobsTable): WantedIndex[] {
  const schedules = sideTable(jobs, 'schedules');
  const labels = sideTable(jobs, 'labels');
  const keys = Object.entries(SIDE_TABLE_KEYS) as [SideTable, readonly string[]][];
  return [
    primary(jobs, ['id']),
    partial(jobs, 'ready', ['kind', 'priority', 'run_at', 'id'], `${WAITING} AND due`),
    partial(jobs, 'scheduled', ['run_at'], `${WAITING} AND NOT due`),
    partial(jobs, 'running', ['id'], `status = 'PENDING' AND locked_by IS NOT NULL`),
    partial(schedules, 'next', ['next_at'], 'paused_at IS NULL AND next_at IS NOT NULL'),
    partial(schedules, 'queued', ['queued_tick'], 'queued_tick IS NOT NULL'),
    partial(labels, 'job', ['job_id'], null),
    ...keys.map(([suffix, columns]) => primary(sideTable(jobs, suffix), columns)),
  ];
}

const WAITING = `status = 'PENDING' AND locked_by IS NULL`;

function partial(
  table: JobsTable,
  suffix: string,
  columns: readonly string[],
  where: string | null,
): WantedIndex {
  const name = `${table.name}_${suffix}`;
  const condition = where === null ? '' : ` WHERE ${where}`;
  return {
    ...{ table: table.name, name, columns, where },
    statement: `CREATE INDEX CONCURRENTLY "${name}" ON ${table.quoted} (${columns.join(', ')})${condition}`,
  };
}

function primary(table: JobsTable, columns: readonly string[]): WantedIndex {
  const name = `${table.name}_pkey`;
  return {
    ...{ table: table.name, name, columns, where: null },
    statement: `ALTER TABLE ${table.quoted} ADD CONSTRAINT "${name}" PRIMARY KEY (${columns.join(', ')})`,
  };
}
