import { sleep } from '../../async/timers.js';
import type { KindStats } from '../../client/kind-stats.js';
import type { Command, CommandCall } from '../command.js';
import { UsageError } from '../cli-errors.js';
import { EXIT } from '../exit-codes.js';
import { instantText, jsonText, timeText } from '../output/format.js';
import { table, type Column } from '../output/table.js';

const DEFAULT_INTERVAL_MS = 2_000;
const SHORTEST_INTERVAL_MS = 500;

export const stats: Command = {
  name: 'stats',
  summary: 'Show how kinds fare: what waits, runs and fails, and how long it takes.',
  operands: '[<kind>]',
  minOperands: 0,
  maxOperands: 1,
  options: {
    watch: {
      type: 'boolean',
      short: 'w',
      help: 'Again and again, until Ctrl+C. With --json, a line each time.',
    },
    interval: { type: 'string', value: '<time>', help: 'With --watch: how often. Default 2s.' },
  },
  async run(call) {
    const { values, terminal, signal, isJson } = call;
    const everyMs = values.duration('interval') ?? DEFAULT_INTERVAL_MS;
    if (everyMs < SHORTEST_INTERVAL_MS) throw new UsageError('--interval must be at least 500ms.');
    if (!values.flag('watch')) {
      const kinds = await look(call);
      terminal.print(isJson ? jsonText({ kinds }) : page(kinds, terminal.columns));
      return EXIT.ok;
    }
    do {
      const kinds = await look(call);
      const at = new Date();
      if (isJson) terminal.print(jsonText({ at, kinds }, 0));
      else {
        terminal.clear();
        terminal.print(
          `${instantText(at)!}  every ${timeText(everyMs)!}, Ctrl+C ends\n\n${page(kinds, terminal.columns)}`,
        );
      }
    } while (await sleep(everyMs, signal));
    return EXIT.ok;
  },
};

function look({ jobs: { kinds }, operands: [only] }: CommandCall): Promise<KindStats[]> {
  return only === undefined ? kinds.list() : Promise.all([kinds.stats(only)]);
}

function page(kinds: readonly KindStats[], width: number | undefined): string {
  if (kinds.length > 0) return table(COLUMNS, kinds, width);
  return 'Nothing is known of any kind: no worker is live, and no job is ready. Start a worker, or enqueue a job.';
}

const rate = (perMinute: number) => (perMinute === 0 ? 0 : Number(perMinute.toPrecision(2)));

const COLUMNS: readonly Column<KindStats>[] = [
  { title: 'kind', value: ({ kind }) => kind },
  { title: 'ready', value: ({ ready }) => `${ready.value}${ready.capped ? '+' : ''}`, isRight: true },
  { title: 'oldest', value: ({ oldestReadyMs }) => timeText(oldestReadyMs), isRight: true },
  {
    title: 'scheduled',
    value: ({ scheduled }) => `${scheduled.value}${scheduled.capped ? '+' : ''}`,
    isRight: true,
  },
  { title: 'running', value: ({ running }) => running, isRight: true },
  { title: 'workers', value: (kind) => kind.workers, isRight: true },
  { title: 'done/min', value: ({ perMinute }) => rate(perMinute.done), isRight: true },
  {
    title: 'failed/min',
    value: ({ perMinute }) => rate(perMinute.failed + perMinute.panicked),
    isRight: true,
  },
  { title: 'failed/day', value: ({ failedInDay }) => failedInDay, isRight: true },
  { title: 'wait p95', value: ({ waitMs }) => timeText(waitMs?.p95), isRight: true },
  { title: 'run p95', value: ({ runMs }) => timeText(runMs?.p95), isRight: true },
  { title: 'paused', value: pausedOf, isLong: true },
];

function pausedOf({ paused }: KindStats): string | undefined {
  if (paused === null) return undefined;
  const until = paused.until === null ? '' : ` until ${instantText(paused.until)!}`;
  return `since ${instantText(paused.since)!}${until}${paused.reason === null ? '' : `: ${paused.reason}`}`;
}
