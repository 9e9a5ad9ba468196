import type { Job } from '../../job/job.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { FILTER_OPTIONS, filterOf } from '../job-filter.js';
import { firstLine, instantText, jsonText } from '../output/format.js';
import { table, type Column } from '../output/table.js';

const MAX_LIMIT = 500;
const DEFAULT_LIMIT = 50;

export const list: Command = {
  name: 'list',
  summary: 'List jobs, the newest first.',
  operands: '',
  minOperands: 0,
  maxOperands: 0,
  options: {
    ...FILTER_OPTIONS,
    oldest: { type: 'boolean', help: 'The oldest first.' },
    limit: {
      type: 'string',
      short: 'n',
      value: '<count>',
      help: `At most so many, 1 to ${MAX_LIMIT}. Default ${DEFAULT_LIMIT}.`,
    },
    after: { type: 'string', value: '<id>', help: 'Go on after this job: the "next" of the page before.' },
  },
  async run({ jobs, values, terminal, isJson }) {
    const found = await jobs.client.find(filterOf(values), {
      order: values.flag('oldest') ? 'oldest' : 'newest',
      limit: values.whole('limit', 1, MAX_LIMIT) ?? DEFAULT_LIMIT,
      after: values.text('after') ?? null,
    });
    if (isJson) {
      terminal.print(jsonText({ jobs: found.jobs, next: found.next, complete: found.complete }));
      return EXIT.ok;
    }
    terminal.print(
      found.jobs.length === 0 ? nothing(values.given) : table(COLUMNS, found.jobs, terminal.columns),
    );
    if (!found.complete) terminal.print(`\nSearched ${found.searched.toLocaleString('en-US')} jobs so far.`);
    if (found.next !== null) terminal.print(`\nThere may be more: --after ${JSON.stringify(found.next)}`);
    return EXIT.ok;
  },
};

const COLUMNS: readonly Column<Job>[] = [
  { title: 'id', value: ({ id }) => id },
  { title: 'kind', value: ({ kind }) => kind },
  { title: 'state', value: ({ state }) => state },
  { title: 'run at', value: ({ runAt }) => instantText(runAt) },
  { title: 'attempts', value: ({ attemptsDone }) => attemptsDone, isRight: true },
  { title: 'last error', value: ({ lastError }) => firstLine(lastError), isLong: true },
];

function nothing(given: readonly string[]): string {
  const isFiltered = Object.keys(FILTER_OPTIONS).some((name) => given.includes(name));
  return isFiltered
    ? 'No job fits. Give fewer conditions, or run "stats" to see which kinds there are.'
    : 'There are no jobs. Enqueue one with JobClient.enqueue().';
}
