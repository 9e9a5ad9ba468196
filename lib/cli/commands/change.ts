import type { BulkAnswer, BulkFilter } from '../../client/bulk-arguments.js';
import { UsageError } from '../cli-errors.js';
import type { Command, CommandCall, CommandOptions } from '../command.js';
import { confirm } from '../confirm.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { FILTER_OPTIONS, filterOf } from '../job-filter.js';
import { countText, jsonText } from '../output/format.js';

/** What a command does with many jobs. */
interface Change {
  /** `Delete` */
  readonly verb: string;
  /** `deleted` */
  readonly done: string;
  /** Which jobs it leaves alone, for the one who finds that it does nothing. */
  readonly others: string;
  readonly apply: (call: CommandCall, filter: BulkFilter, isDryRun: boolean) => Promise<BulkAnswer>;
}

const WHICH: CommandOptions = {
  ...FILTER_OPTIONS,
  all: { type: 'boolean', help: 'All jobs. Only without ids and conditions.' },
  'dry-run': { type: 'boolean', help: 'Count the jobs, and change none.' },
  yes: { type: 'boolean', short: 'y', help: 'Do not ask.' },
};

const COMMON = { operands: '[<id> ...]', minOperands: 0, maxOperands: 1_000 } as const;

export const retry: Command = {
  ...COMMON,
  name: 'retry',
  summary: 'Run jobs again that failed, panicked or were cancelled.',
  options: {
    ...WHICH,
    spread: {
      type: 'string',
      value: '<time>',
      help: 'Spread their starts evenly over this time: 10m. Default: all at once.',
    },
  },
  run: (call) =>
    change(call, {
      ...{
        verb: 'Retry',
        done: 'ready again',
        others: 'Only failed, panicked and cancelled jobs can be retried.',
      },
      apply: ({ jobs, values, signal }, filter, dryRun) =>
        jobs.client.retryMany(filter, { dryRun, signal, spreadMs: values.duration('spread') }),
    }),
};

export const cancel: Command = {
  ...COMMON,
  name: 'cancel',
  summary: 'Cancel jobs that wait, and ask those that run to stop.',
  options: {
    ...WHICH,
    reason: { type: 'string', value: '<text>', help: 'Kept with the jobs.' },
  },
  run: (call) =>
    change(call, {
      ...{
        verb: 'Cancel',
        done: 'cancelled, or asked to stop',
        others: 'Only jobs that have not ended can be cancelled.',
      },
      apply: ({ jobs, values, signal }, filter, dryRun) =>
        jobs.client.cancelMany(filter, { dryRun, signal, reason: values.text('reason') }),
    }),
};

export const deleteJobs: Command = {
  ...COMMON,
  name: 'delete',
  summary: 'Delete jobs that do not run, with all that is stored beside them.',
  options: WHICH,
  run: (call) =>
    change(call, {
      ...{ verb: 'Delete', done: 'deleted', others: 'Jobs that run are not deleted; cancel them first.' },
      apply: ({ jobs, signal }, filter, dryRun) => jobs.client.deleteMany(filter, { dryRun, signal }),
    }),
};

/** Counts the jobs, asks, and changes them. */
async function change(call: CommandCall, { verb, done, others, apply }: Change): Promise<ExitCode> {
  const { terminal, values, isJson } = call;
  const filter = targetOf(call);
  const { matched } = await apply(call, filter, true);
  const isDryRun = values.flag('dry-run');
  if (isDryRun || matched === 0) {
    if (isJson) terminal.print(jsonText({ matched, changed: 0, conflicts: 0, dryRun: isDryRun }));
    else if (matched === 0) terminal.print(`No job fits. ${others}`);
    else terminal.print(`${verb} ${countText(matched, 'job')}: nothing was changed, because of --dry-run.`);
    return matched === 0 && !isDryRun ? EXIT.trouble : EXIT.ok;
  }
  await confirm(terminal, `${verb} ${countText(matched, 'job')}?`, values.flag('yes'));
  const answer = await apply(call, filter, false);
  if (isJson) terminal.print(jsonText({ ...answer, dryRun: false }));
  else terminal.print(told(answer, done));
  return answer.changed === 0 ? EXIT.trouble : EXIT.ok;
}

function told({ matched, changed, conflicts }: BulkAnswer, done: string): string {
  const left = matched - changed - conflicts;
  return [
    `${countText(changed, 'job')} ${done}.`,
    ...(conflicts > 0
      ? [`${countText(conflicts, 'job')} left: another job has their unique key by now.`]
      : []),
    ...(left > 0 ? [`${countText(left, 'job')} left: something else has changed them meanwhile.`] : []),
  ].join('\n');
}

/** @throws UsageError where nothing, or two things, say which jobs are meant */
function targetOf({ operands, values }: CommandCall): BulkFilter {
  const filter = filterOf(values);
  const isFiltered = Object.keys(filter).length > 0;
  const given = [operands.length > 0, isFiltered, values.flag('all')].filter(Boolean);
  if (given.length === 0)
    throw new UsageError('Say which jobs: give ids, conditions such as --kind, or --all.');
  if (given.length > 1 && values.flag('all'))
    throw new UsageError('--all is given together with ids or conditions; give one of them.');
  if (values.flag('all')) return { all: true };
  return operands.length === 0 ? filter : { ...filter, ids: operands };
}
