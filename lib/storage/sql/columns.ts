import type { EncodedJob } from '../../job/encode-job.js';

/*
 * The columns of the jobs table by what statements do with them, once for all databases: the decoders in row.ts read
 * them by these names. Each database's columns.ts says how it selects a column of each type.
 */

/** `json` leaves the database as text, `instant` as milliseconds since 1970, and everything else as it is. */
export type ColumnType = 'plain' | 'json' | 'instant';

/** Names and types, in the order in which they are selected. */
export type Columns = Readonly<Record<string, ColumnType>>;

/** What a claim returns of a job, and what is as in `USUAL_VALUES` for most of them. */
export const RARE_COLUMNS = {
  payload_version: 'plain',
  settings: 'json',
  max_attempts: 'plain',
  attempts_done: 'plain',
  crashes: 'plain',
  last_error: 'plain',
  last_attempt_at: 'instant',
} as const satisfies Columns;

/** Of a job that has not been tried yet, and was enqueued without options. */
export const USUAL_VALUES: Readonly<Record<keyof typeof RARE_COLUMNS, number | null>> = {
  payload_version: 1,
  settings: null,
  max_attempts: null,
  attempts_done: 0,
  crashes: 0,
  last_error: null,
  last_attempt_at: null,
};

/** What a claim returns of every job. With tracing, every job carries something. */
export const COMMON_COLUMNS = {
  id: 'plain',
  kind: 'plain',
  payload: 'json',
  payload_bytes: 'plain',
  carried: 'json',
  priority: 'plain',
  lease_token: 'plain',
  run_at: 'instant',
  created_at: 'instant',
} as const satisfies Columns;

/** All that a claim returns of a job. */
export const CLAIMED_COLUMNS = { ...COMMON_COLUMNS, ...RARE_COLUMNS } as const satisfies Columns;

/** What lists tell of a job: nothing that may be large. */
export const SUMMARY_COLUMNS = {
  id: 'plain',
  kind: 'plain',
  payload_version: 'plain',
  settings: 'json',
  status: 'plain',
  priority: 'plain',
  max_attempts: 'plain',
  attempts_done: 'plain',
  crashes: 'plain',
  last_error: 'plain',
  locked_by: 'plain',
  run_at: 'instant',
  created_at: 'instant',
  updated_at: 'instant',
  last_attempt_at: 'instant',
  locked_until: 'instant',
  cancel_requested_at: 'instant',
  cancel_reason: 'plain',
  progress: 'json',
} as const satisfies Columns;

/** What `get` returns of a job. */
export const JOB_COLUMNS = {
  ...SUMMARY_COLUMNS,
  payload: 'json',
  payload_bytes: 'plain',
  carried: 'json',
  result: 'json',
  result_bytes: 'plain',
} as const satisfies Columns;

interface Setting<Type, Value> {
  readonly name: string;
  readonly type: Type;
  /** What most jobs have, and what the table has by default. */
  readonly usual: Value | null;
  readonly valueOf: (job: EncodedJob) => Value | null;
}

/** A column that an enqueuer sets, besides id, kind, payload and start of the job. */
export type SettingColumn = Setting<'integer', number> | Setting<'json', string>;

/** Every insert writes all of these. */
export const SETTING_COLUMNS: readonly SettingColumn[] = [
  { name: 'priority', type: 'integer', usual: 0, valueOf: (job) => job.priority },
  { name: 'max_attempts', type: 'integer', usual: null, valueOf: (job) => job.maxAttempts },
  { name: 'payload_version', type: 'integer', usual: 1, valueOf: (job) => job.payloadVersion },
  { name: 'carried', type: 'json', usual: null, valueOf: (job) => job.carried },
  { name: 'settings', type: 'json', usual: null, valueOf: (job) => job.settings },
];

/** `priority, max_attempts, …`: the setting columns as statements list them. */
export const SETTING_NAMES = SETTING_COLUMNS.map(({ name }) => name).join(', ');

/** Lists columns for a SELECT or RETURNING. @param select how the database selects a column of this name and type */
export function selectList(columns: Columns, select: (name: string, type: ColumnType) => string): string {
  return Object.entries(columns)
    .map(([name, type]) => select(name, type))
    .join(', ');
}

/** A payload up to this size counts as small: a claim of a thousand of them is not too large for any process. */
export const SMALL_PAYLOAD_BYTES = 2_000;

/** The columns that version 2 of the jobs table adds. */
export const VERSION_2_COLUMNS: readonly string[] = [
  ...['settings', 'progress', 'cancel_requested_at', 'cancel_reason'],
];

/** The columns that every jobs table has from its first version on. */
export const VERSION_1_COLUMNS: readonly string[] = [
  ...Object.keys(JOB_COLUMNS).filter((column) => !VERSION_2_COLUMNS.includes(column)),
  ...['payload_size', 'due', 'lease_token', 'locked_at', 'heartbeat_at', 'alone'],
];
