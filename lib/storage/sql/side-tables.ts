import type { JobsTable } from './dialect.js';

/*
 * What is kept beside the jobs has tables of its own, named after theirs. No foreign key leads from one to another: rows
 * are deleted in batches, and none of these tables may hold up a worker.
 */

/** The tables beside the jobs table, by what follows its name and an underscore. */
export type SideTable =
  | 'schedules'
  | 'keys'
  | 'chores'
  | 'labels'
  | 'controls'
  | 'workers'
  | 'attempts'
  | 'logs'
  | 'minutes'
  | 'events'
  | 'listeners'
  | 'audit';

/** The columns of their primary keys. The compiler wants all of the tables, and no other. */
export const SIDE_TABLE_KEYS = {
  schedules: ['name'],
  keys: ['kind', 'unique_key'],
  chores: ['name'],
  labels: ['label', 'job_id'],
  controls: ['kind', 'group_key'],
  workers: ['id'],
  attempts: ['job_id', 'attempt'],
  logs: ['job_id', 'attempt', 'line'],
  minutes: ['span', 'minute', 'kind', 'worker'],
  events: ['seq'],
  listeners: ['id'],
  audit: ['seq'],
} as const satisfies Record<SideTable, readonly string[]>;

/** `nest_jobs_keys` of `nest_jobs`, in the same schema. */
export function sideTable({ name, schema, quoted }: JobsTable, suffix: SideTable): JobsTable {
  const closingQuote = quoted.at(-1)!;
  return {
    name: `${name}_${suffix}`,
    schema,
    quoted: `${quoted.slice(0, -1)}_${suffix}${closingQuote}`,
  };
}
