import type { Schedule } from '../../schedules/schedule.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { durationText } from '../../job/duration.js';
import { instantText, jsonText } from '../output/format.js';
import { table, type Column } from '../output/table.js';

const PAGE = 500;

export const schedules: Command = {
  name: 'schedules',
  summary: 'List schedules: when they tick, whether they are paused or overdue.',
  operands: '',
  minOperands: 0,
  maxOperands: 0,
  options: {
    kind: { type: 'string', short: 'k', value: '<kind>', help: 'Only those whose jobs are of this kind.' },
  },
  async run({ jobs, values, terminal, isJson }) {
    const all = await allSchedules(jobs.schedules, values.text('kind'));
    if (isJson) terminal.print(jsonText({ schedules: all }));
    else if (all.length === 0)
      terminal.print(
        'There are no schedules. Declare one with @JobSchedule(), or make one with JobSchedules.upsert().',
      );
    else terminal.print(table(COLUMNS, all, terminal.columns));
    return EXIT.ok;
  },
};

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
