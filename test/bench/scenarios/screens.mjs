import { fillLargeTable, LARGE_TABLE_CONTENDERS, rowsOfLargeTable, TAG } from '../large-table.mjs';
import { timeEach } from '../time-each.mjs';

/** What the dashboard keeps for a second, and part of it for ten. */
const KEPT = { overview: 'overview', kinds: 'kinds' };
const KEPT_MS = 1_100;

/** What else the pages of the dashboard ask for, by the name under which its time is told. */
const screensOf = ({ done, failed, ready }) => ({
  'jobs, all': 'jobs',
  'jobs, failed': 'jobs?state=failed',
  'jobs of a kind': 'jobs?kind=bench.k3',
  'jobs, scheduled': 'jobs?state=scheduled',
  'jobs with a tag': `jobs?tag=${encodeURIComponent(TAG)}`,
  'jobs by the text of an error': 'jobs?error=host%207',
  'counts of all states': 'counts',
  'counts of a kind': 'counts?kind=bench.k3',
  'job that is done': `job?id=${done}`,
  'job that has failed': `job?id=${failed}`,
  'job that is ready': `job?id=${ready}`,
  schedules: 'schedules',
  workers: 'workers',
  errors: 'errors',
  audit: 'audit',
  form: 'form',
});

/** How long the answers of the dashboard take on a large table, in milliseconds, over HTTP. */
export const screens = {
  name: 'screens',
  contenders: LARGE_TABLE_CONTENDERS,
  isExtra: true,
  async run(bench, contender) {
    const rows = rowsOfLargeTable(bench);
    const { judge, ids } = await fillLargeTable(bench, contender, rows, { hasDashboard: true });
    console.log(`${contender}, ${rows} rows`);
    const callsOf = (queries) =>
      Object.entries(queries).map(([name, query]) => [name, () => judge.fetchScreen(query)]);
    const measured = (name, ms) => bench.records.add(`screen ${name}`, contender, ms);
    await timeEach(callsOf(KEPT), measured, KEPT_MS);
    await timeEach(callsOf(screensOf(ids)), measured);
    await judge.close();
  },
};
