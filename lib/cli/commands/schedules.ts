import type { Schedule } from '../../schedules/schedule.js';
import { UsageError } from '../cli-errors.js';
import type { Command, CommandCall } from '../command.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { durationText } from '../../job/duration.js';
import { instantText, jsonText } from '../output/format.js';
import { table, type Column } from '../output/table.js';
import type { Values } from '../values.js';
import { scheduleAction, SCHEDULE_ACTIONS, SCHEDULE_OPTIONS } from './schedule-actions.js';

const PAGE = 500;

export const schedules: Command = {
  name: 'schedules',
  summary:
    'List schedules, with when they tick and whether they are paused or overdue; or act on one of them.',
  operands: '[<action> <name>]',
  minOperands: 0,
  maxOperands: 2,
  actions: SCHEDULE_ACTIONS,
  options: {
    kind: {
      type: 'string',
      short: 'k',
      value: '<kind>',
      help: 'List only those whose jobs are of this kind.',
    },
    ...SCHEDULE_OPTIONS,
  },
  async run(call) {
    const [action, name] = call.operands;
    requireOptionsOf(action, call.values);
    return action === undefined ? list(call) : scheduleAction(action, name).run(call, name!);
  },
};

/** @throws UsageError for an option of something else */
function requireOptionsOf(action: string | undefined, { given }: Values): void {
  const own = action === undefined ? ['kind'] : (SCHEDULE_ACTIONS[action]?.options ?? given);
  const all = ['kind', ...Object.keys(SCHEDULE_OPTIONS)];
  const other = given.find((option) => all.includes(option) && !own.includes(option));
  if (other === undefined) return;
  const what = action === undefined ? 'without an action' : `with "schedules ${action}"`;
  throw new UsageError(`--${other} has no meaning ${what}.`);
}

async function list({ jobs, values, terminal, isJson }: CommandCall): Promise<ExitCode> {
  const all = await allSchedules(jobs.schedules, values.text('kind'));
  if (isJson) terminal.print(jsonText({ schedules: all }));
  else if (all.length === 0)
    terminal.print(
      'There are no schedules. Declare one with @JobSchedule(), or make one with JobSchedules.upsert().',
    );
  else terminal.print(table(COLUMNS, all, terminal.columns));
  return EXIT.ok;
}

/** Page by page. */
export async function allSchedules(
  client: { list(options: { kind?: string; after?: string; limit: number }): Promise<Schedule[]> },
  kind?: string,
): Promise<Schedule[]> {
  const all: Schedule[] = [];
  for (;;) {
    const page = await client.list({ kind, after: all.at(-1)?.name, limit: PAGE });
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

const COLUMNS: readonly Column<Schedule>[] = [
  { title: 'name', value: ({ name }) => name },
  { title: 'kind', value: ({ kind }) => kind },
  { title: 'times', value: timesOf },
  { title: 'next at', value: ({ nextAt }) => instantText(nextAt) },
  { title: 'last tick', value: ({ lastTick }) => instantText(lastTick) },
  { title: 'skipped', value: ({ skipped }) => skipped, isRight: true },
  { title: 'state', value: stateOf, isLong: true },
];

function timesOf({ cron, timeZone, everyMs }: Schedule): string | undefined {
  if (cron !== undefined) return `${cron} (${timeZone ?? 'UTC'})`;
  return everyMs === undefined ? undefined : `every ${durationText(everyMs)}`;
}

function stateOf(schedule: Schedule): string {
  if (schedule.unreadable !== undefined) return `unreadable: ${schedule.unreadable}`;
  if (schedule.paused)
    return schedule.pausedReason === undefined ? 'paused' : `paused: ${schedule.pausedReason}`;
  if (schedule.overdue) return 'overdue';
  if (!schedule.enabled) return 'not enabled';
  return schedule.nextAt === null ? 'over' : 'active';
}
