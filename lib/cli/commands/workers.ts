import type { LiveWorker } from '../../client/live-worker.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { instantText, jsonText, timeText } from '../output/format.js';
import { table, type Column } from '../output/table.js';

const BYTES_PER_MB = 1_000_000;

export const workers: Command = {
  name: 'workers',
  summary: 'List live workers: where they run, what they serve, how they fare.',
  operands: '',
  minOperands: 0,
  maxOperands: 0,
  options: {},
  async run({ jobs: { kinds }, terminal, isJson }) {
    const all = await kinds.workers();
    if (isJson) terminal.print(jsonText({ workers: all }));
    else if (all.length === 0)
      terminal.print('No worker is live. Start a process whose JobsModule has a worker and handlers.');
    else terminal.print(table(COLUMNS, all, terminal.columns));
    return EXIT.ok;
  },
};

const COLUMNS: readonly Column<LiveWorker>[] = [
  { title: 'name', value: ({ name }) => name },
  { title: 'host', value: ({ host }) => host },
  { title: 'pid', value: ({ pid }) => pid, isRight: true },
  { title: 'started at', value: ({ startedAt }) => instantText(startedAt) },
  { title: 'seen at', value: ({ seenAt }) => instantText(seenAt) },
  { title: 'running', value: ({ running, concurrency }) => `${running}/${concurrency}`, isRight: true },
  { title: 'loop delay', value: ({ eventLoopDelayMs }) => timeText(eventLoopDelayMs), isRight: true },
  { title: 'memory', value: ({ rssBytes }) => `${Math.round(rssBytes / BYTES_PER_MB)} MB`, isRight: true },
  { title: 'release', value: ({ release, stopping }) => (stopping ? `${release} (stops)` : release) },
  { title: 'kinds', value: ({ kinds }) => kinds.join(', '), isLong: true },
];
