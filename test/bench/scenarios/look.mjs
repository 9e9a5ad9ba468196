import { fillLargeTable, LARGE_TABLE_CONTENDERS, rowsOfLargeTable, TAG } from '../large-table.mjs';
import { timeEach } from '../time-each.mjs';

/* What people ask of a large table. */

/** Each call, by the name under which its time is told. */
const CALLS = {
  'get one': ({ jobs, ids }) => jobs.get(ids.done),
  'explain a ready job': ({ jobs, ids }) => jobs.explain(ids.ready),
  'attempts of one': ({ jobs, ids }) => jobs.attempts(ids.failed),
  'list of kinds': ({ kinds }) => kinds.list(),
  'stats of a kind': ({ kinds }) => kinds.stats('bench.k3'),
  'find, newest': ({ jobs }) => jobs.find({}),
  'find by kind': ({ jobs }) => jobs.find({ kinds: ['bench.k3'] }),
  'find failed': ({ jobs }) => jobs.find({ states: ['failed'] }),
  'find failed of a kind': ({ jobs }) => jobs.find({ states: ['failed'], kinds: ['bench.k17'] }),
  'find ready': ({ jobs }) => jobs.find({ states: ['ready'] }),
  'find scheduled': ({ jobs }) => jobs.find({ states: ['scheduled'] }),
  'find running, of which there are none': ({ jobs }) => jobs.find({ states: ['running'] }),
  'find by tag': ({ jobs }) => jobs.find({ tags: [TAG] }),
  'find by ids': ({ jobs, ids }) => jobs.find({ ids: Object.values(ids) }),
  'find by error': ({ jobs }) => jobs.find({ error: 'host 7' }),
  'find by an error that none has': ({ jobs }) => jobs.find({ error: 'no such text' }),
  'find by a value that none has': ({ jobs }) => jobs.find({ payload: { n: 2 } }),
  'count all, to 10,000': ({ jobs }) => jobs.count({}),
  'count failed, to 10,000': ({ jobs }) => jobs.count({ states: ['failed'] }),
  'count done of a kind, to 10,000': ({ jobs }) => jobs.count({ states: ['done'], kinds: ['bench.k3'] }),
  'count ready, to 10,000': ({ jobs }) => jobs.count({ states: ['ready'] }),
};

/** How long each call takes, in milliseconds. */
export const look = {
  name: 'look',
  contenders: LARGE_TABLE_CONTENDERS,
  isExtra: true,
  async run(bench, contender) {
    const rows = rowsOfLargeTable(bench);
    const { judge, ids } = await fillLargeTable(bench, contender, rows);
    const asked = { jobs: judge.jobs, kinds: judge.app.get(judge.library.JobKinds), ids };
    console.log(`${contender}, ${rows} rows`);
    const calls = Object.entries(CALLS).map(([name, call]) => [name, () => call(asked)]);
    await timeEach(calls, (name, ms) => bench.records.add(`look ${name}`, contender, ms));
    await judge.close();
  },
};
