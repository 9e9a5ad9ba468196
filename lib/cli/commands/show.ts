import { printable } from '../../events/log-text.js';
import type { Job } from '../../job/job.js';
import type { JobAttempt } from '../../job/job-attempt.js';
import type { JobLogLine } from '../../job/job-log.js';
import { CommandFailedError } from '../cli-errors.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { firstLine, instantText, jsonText, timeText } from '../output/format.js';
import { facts, table, type Column } from '../output/table.js';

const MAX_LINES = 1_000;
const DEFAULT_LINES = 20;

export const show: Command = {
  name: 'show',
  summary: 'Show all of one job: payload, result, attempts, what its handler has logged.',
  operands: '<id>',
  minOperands: 1,
  maxOperands: 1,
  options: {
    lines: {
      ...{ type: 'string', value: '<count>' },
      help: `Lines of its log, 0 to ${MAX_LINES}. Default ${DEFAULT_LINES}.`,
    },
  },
  async run({ jobs: { client }, operands, values, terminal, isJson }) {
    const id = operands[0]!;
    const job = await client.get(id);
    if (job === null) throw new CommandFailedError(`There is no job ${printable(id)}.`);
    const lines = values.whole('lines', 0, MAX_LINES) ?? DEFAULT_LINES;
    const attempts = await client.attempts(id);
    const logs = lines === 0 ? [] : (await client.logs(id, { limit: MAX_LINES })).lines.slice(-lines);
    terminal.print(isJson ? jsonText({ job, attempts, logs }) : page(job, attempts, logs, terminal.columns));
    return EXIT.ok;
  },
};

function page(
  job: Job,
  attempts: readonly JobAttempt[],
  logs: readonly JobLogLine[],
  width: number | undefined,
): string {
  const parts = [
    facts(factsOf(job)),
    section('payload', documentText(job.payload)),
    section('result', documentText(job.result)),
    section('last error', job.lastError?.split('\n').map(printable).join('\n')),
    section('attempts', attempts.length === 0 ? undefined : table(ATTEMPTS, attempts, width && width - 2)),
    section('log', logs.length === 0 ? undefined : logs.map(logLine).join('\n')),
  ];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

function factsOf(job: Job): readonly (readonly [string, string | number | undefined])[] {
  return [
    ['id', job.id],
    ['kind', job.kind],
    ['state', job.state],
    ['created at', instantText(job.createdAt)],
    ['run at', instantText(job.runAt)],
    ['updated at', instantText(job.updatedAt)],
    [
      'attempts',
      job.maxAttempts === undefined ? job.attemptsDone : `${job.attemptsDone} of ${job.maxAttempts}`,
    ],
    ['last attempt at', instantText(job.lastAttemptAt)],
    ['crashes', job.crashes === 0 ? undefined : job.crashes],
    ['priority', job.priority],
    ['worker', job.lockedBy],
    ['lease until', instantText(job.lockedUntil)],
    ['unique key', job.uniqueKey],
    ['tags', job.tags !== undefined && job.tags.length > 0 ? job.tags.join(', ') : undefined],
    ['schedule', job.schedule],
    ['tick', instantText(job.tick)],
    ['progress', job.progress === undefined ? undefined : jsonText(job.progress, 0)],
    ['cancel reason', job.cancelReason],
  ];
}

/** JSON has no control characters of its own but line ends. */
function documentText(document: unknown): string | undefined {
  if (document === undefined) return undefined;
  if (document instanceof Uint8Array) return `${document.byteLength} bytes`;
  return jsonText(document).split('\n').map(printable).join('\n');
}

function section(title: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : `${title}\n${text.replaceAll(/^/gm, '  ')}`;
}

const ATTEMPTS: readonly Column<JobAttempt>[] = [
  { title: 'attempt', value: ({ attempt }) => attempt, isRight: true },
  { title: 'outcome', value: ({ outcome }) => outcome },
  { title: 'started at', value: ({ startedAt }) => instantText(startedAt) },
  {
    title: 'took',
    value: ({ startedAt, endedAt }) => startedAt && timeText(endedAt.getTime() - startedAt.getTime()),
    isRight: true,
  },
  { title: 'worker', value: ({ worker }) => worker },
  { title: 'error', value: ({ error }) => firstLine(error), isLong: true },
];

function logLine({ at, level, attempt, text, fields }: JobLogLine): string {
  const said = text ?? jsonText(fields, 0);
  return `${at.toISOString()}  ${level.padEnd(5)}  #${attempt}  ${printable(said)}`;
}
