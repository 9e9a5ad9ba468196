import { printable } from '../../events/log-text.js';
import { likelyName } from '../../job/did-you-mean.js';
import { UnknownScheduleError } from '../../job/schedule-errors.js';
import { nextTicks } from '../../schedules/next-ticks.js';
import type { MissedTicks } from '../../schedules/schedule-options.js';
import { UsageError } from '../cli-errors.js';
import type { CommandCall, CommandOptions } from '../command.js';
import { confirm } from '../confirm.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { countText, instantText, jsonText } from '../output/format.js';

/** What can be done with one schedule. */
export interface ScheduleAction {
  readonly summary: string;
  /** The options that it takes. */
  readonly options: readonly string[];
  run(call: CommandCall, name: string): Promise<ExitCode>;
}

/** The options of all actions. Each takes some of them. */
export const SCHEDULE_OPTIONS: CommandOptions = {
  reason: { type: 'string', value: '<text>', help: 'pause: for those who look at it later.' },
  missed: {
    type: 'string',
    value: '<which>',
    help: 'resume: which ticks of the pause to run: skip, last or all. Default skip.',
  },
  count: { type: 'string', short: 'n', value: '<number>', help: 'preview: how many ticks. Default 10.' },
  from: {
    type: 'string',
    value: '<time>',
    help: 'backfill: the first tick is at or after it, with its zone: 2026-11-27T09:00:00Z.',
  },
  to: { type: 'string', value: '<time>', help: 'backfill: the last tick is at or before it.' },
  limit: {
    type: 'string',
    value: '<number>',
    help: 'backfill: how many ticks at most, the oldest. Needed from 1,000 on.',
  },
  'dry-run': { type: 'boolean', help: 'backfill: count the jobs, and make none.' },
  yes: { type: 'boolean', short: 'y', help: 'backfill: do not ask.' },
};

export const SCHEDULE_ACTIONS: Readonly<Record<string, ScheduleAction>> = {
  pause: {
    summary: 'Keep it from making jobs until it is resumed.',
    options: ['reason'],
    async run({ jobs, values, terminal, isJson }, name) {
      const schedule = await jobs.schedules.pause(name, { reason: values.text('reason') });
      if (isJson) terminal.print(jsonText(schedule));
      else terminal.print(`Paused the schedule ${printable(schedule.name)}.`);
      return EXIT.ok;
    },
  },
  resume: {
    summary: 'End its pause.',
    options: ['missed'],
    async run({ jobs, values, terminal, isJson }, name) {
      const missed = values.text('missed') as MissedTicks | undefined; // checked there
      const schedule = await jobs.schedules.resume(name, { missed });
      if (isJson) terminal.print(jsonText(schedule));
      else {
        const next =
          schedule.nextAt === null
            ? 'It has no next tick'
            : `Its next tick is at ${instantText(schedule.nextAt)!}`;
        terminal.print(`Resumed the schedule ${printable(schedule.name)}. ${next}.`);
      }
      return EXIT.ok;
    },
  },
  run: {
    summary: 'Make a job of it now, also while it is paused.',
    options: [],
    async run({ jobs, terminal, isJson }, name) {
      const job = await jobs.schedules.trigger(name);
      if (isJson) terminal.print(jsonText(job));
      else terminal.print(`Made the job ${printable(job.id)} of the kind ${printable(job.kind)}.`);
      return EXIT.ok;
    },
  },
  preview: {
    summary: 'Show when it will tick next.',
    options: ['count'],
    async run({ jobs, values, terminal, isJson }, name) {
      const count = values.whole('count', 1, 1_000) ?? 10;
      const schedule = await jobs.schedules.get(name);
      if (schedule === null) throw new UnknownScheduleError(name);
      const ticks = nextTicks(schedule, count);
      if (isJson) terminal.print(jsonText({ name: schedule.name, paused: schedule.paused, ticks }));
      else if (ticks.length === 0)
        terminal.print(`The schedule ${printable(schedule.name)} has no next tick.`);
      else terminal.print(ticks.map((tick) => instantText(tick)!).join('\n'));
      if (schedule.paused && !isJson)
        terminal.complain('It is paused, so none of these makes a job until it is resumed.');
      return EXIT.ok;
    },
  },
  backfill: {
    summary:
      'Make the jobs of ticks that passed without one, from --from to --to. Shows their number and asks.',
    options: ['from', 'to', 'limit', 'dry-run', 'yes'],
    run: backfill,
  },
};

/** @throws UsageError */
export function scheduleAction(given: string, name: string | undefined): ScheduleAction {
  const names = Object.keys(SCHEDULE_ACTIONS);
  if (!names.includes(given)) {
    const meant = likelyName(given, names);
    const question = meant === undefined ? '' : ` Did you mean "${meant}"?`;
    throw new UsageError(
      `"schedules" has no action ${JSON.stringify(given)}.${question} The actions are ${names.join(', ')}.`,
    );
  }
  if (name === undefined) throw new UsageError(`"schedules ${given}" needs <name>.`);
  return SCHEDULE_ACTIONS[given]!;
}

async function backfill({ jobs, values, terminal, isJson }: CommandCall, name: string): Promise<ExitCode> {
  const [from, to] = [values.instant('from'), values.instant('to')];
  if (from === undefined || to === undefined)
    throw new UsageError('"schedules backfill" needs --from and --to.');
  const span = { from, to, limit: values.whole('limit', 1, 1_000_000) };
  const counted = await jobs.schedules.backfill(name, { ...span, dryRun: true });
  const isDryRun = values.flag('dry-run');
  if (isDryRun || counted.created === 0) {
    if (isJson) terminal.print(jsonText({ ...counted, dryRun: isDryRun }));
    else if (counted.created === 0)
      terminal.print(`No tick is without a job; ${countText(counted.existing, 'tick')} had one.`);
    else terminal.print(`Make ${countText(counted.created, 'job')}: none was made, because of --dry-run.`);
    return EXIT.ok;
  }
  const question = `Make ${countText(counted.created, 'job')} of the schedule ${printable(name)}?`;
  await confirm(terminal, question, values.flag('yes'));
  const answer = await jobs.schedules.backfill(name, span);
  if (isJson) terminal.print(jsonText({ ...answer, dryRun: false }));
  else
    terminal.print(
      `${countText(answer.created, 'job')} made; ${countText(answer.existing, 'tick')} had one.`,
    );
  return EXIT.ok;
}
