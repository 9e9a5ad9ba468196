/*
 * `npm run bench -- --help` tells of the options.
 *
 * Measures this package beside its peers and beside hand-written SQL. Scenarios and contenders take turns within each
 * round, so that a change in the machine's speed affects all of them. The tables show medians over the rounds.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { Bench } from './bench.mjs';
import { CONTENDERS, withBefore } from './contenders.mjs';
import { Records } from './records.mjs';
import { reached, table, targetTable } from './report.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { queryMariadb, startMariadb } from './servers/mariadb.mjs';
import { queryOnce, startPostgres } from './servers/postgres.mjs';
import { infoOf, startRedis } from './servers/redis.mjs';
import { startSqlite } from './servers/sqlite.mjs';
import { FULL, QUICK } from './sizes.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    contender: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    minutes: { type: 'string' },
    hold: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(`npm run bench -- [--quick] [--check] [--scenario a,b] [--contender a,b] [--rounds n] [--json file]
  [--minutes n] [--hold n] (for the scenario "bloat")

scenarios: ${SCENARIOS.map(({ name, isExtra }) => (isExtra ? `${name} (only if named)` : name)).join(', ')}
contenders: ${Object.keys(CONTENDERS).join(', ')}`);
  process.exit(0);
}
const sizes = { ...(options.quick ? QUICK : FULL) };
if (options.minutes !== undefined) sizes.bloatMs = Number(options.minutes) * 60_000;
if (options.hold !== undefined) sizes.holdMs = Number(options.hold) * 60_000;
const rounds = Number(options.rounds ?? sizes.rounds);
const isLeftOut = (name) => sizes.without?.includes(name) ?? false;
const scenarios = chosen(SCENARIOS, options.scenario, ({ name }) => name).filter(
  ({ name, isExtra }) => options.scenario !== undefined || !(isExtra || isLeftOut(name)),
);
const names = chosen(Object.keys(CONTENDERS), options.contender, (name) => name).filter(
  (name) => options.contender !== undefined || !isLeftOut(name),
);
const isAskedFor = options.scenario !== undefined || options.contender !== undefined;

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1)); // exit kills the servers
const stores = {
  postgres: await startPostgres(),
  redis: await startRedis(),
  mariadb: await startMariadb(),
  sqlite: await startSqlite(),
};
const records = new Records();
let failures = 0;
try {
  const bench = new Bench({ stores, urls: await makeDatabases(), sizes, records });
  const about = await describe();
  console.log(about.join('\n'));
  for (let round = 1; round <= rounds; round++) {
    await runRound(bench, round);
    await save(about, round); // an interrupted run keeps what it has measured so far
  }
  failures += report();
} finally {
  await Promise.all(Object.values(stores).map((store) => store?.stop()));
}
process.exit(failures > 0 ? 1 : 0);

async function runRound(bench, round) {
  for (const scenario of scenarios) {
    for (const contender of inOrderOf(round, withBefore(scenario.contenders))) {
      if (!names.includes(contender) || bench.storeOf(contender) === null) continue;
      if (!isAskedFor && isLeftOut(`${scenario.name} ${contender}`)) continue;
      const elapsed = `${Math.round(performance.now() / 1000)} s`;
      process.stderr.write(`${elapsed}, round ${round} of ${rounds}: ${scenario.name}, ${contender}\n`);
      try {
        await scenario.run(bench, contender);
      } catch (error) {
        failures += 1;
        console.error(`${scenario.name}, ${contender}: ${error.stack}`);
      }
    }
  }
}

/** Every second round is run from the end, so that no contender is always the one that comes first. */
function inOrderOf(round, contenders) {
  return round % 2 === 1 ? contenders : contenders.toReversed();
}

async function save(about, roundsDone) {
  if (options.json === undefined) return;
  const targets = reached(records).map(({ name, limit, sign, reached: value }) => ({
    name,
    sign,
    limit,
    value,
  }));
  await writeFile(options.json, JSON.stringify({ about, rounds: roundsDone, records, targets }, null, 2));
}

/** @returns how many targets were missed; 0 without `--check` */
function report() {
  const targets = reached(records);
  console.log(`\n${table(records)}\n\n${targetTable(targets)}`);
  const missed = targets.filter((target) => !target.isMet(target.reached));
  for (const { name } of missed) console.log(`MISSED: ${name}`);
  return options.check ? missed.length : 0;
}

/** Creates empty databases for the bench. */
async function makeDatabases() {
  const name = 'jobs_bench';
  await queryOnce(stores.postgres.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await queryOnce(stores.postgres.url, `CREATE DATABASE ${name}`);
  const urls = {
    postgresUrl: withDatabase(stores.postgres.url, name),
    redisUrl: stores.redis?.url,
    sqliteFile: stores.sqlite?.url,
  };
  if (stores.mariadb === null) return urls;
  await queryMariadb(stores.mariadb.url, `DROP DATABASE IF EXISTS ${name}`);
  await queryMariadb(stores.mariadb.url, `CREATE DATABASE ${name}`);
  return { ...urls, mariadbUrl: withDatabase(stores.mariadb.url, name) };
}

function withDatabase(text, name) {
  const url = new URL(text);
  url.pathname = `/${name}`;
  return url.href;
}

/** Describes the machine and the servers. */
async function describe() {
  const settings = ['fsync', 'synchronous_commit', 'shared_buffers', 'max_wal_size', 'autovacuum'];
  const shown = settings.map((setting) => `'${setting} ' || current_setting('${setting}')`).join(', ');
  const [postgres] = await queryOnce(
    stores.postgres.url,
    `SELECT current_setting('server_version') AS version, concat_ws(', ', ${shown}) AS settings`,
  );
  const lines = [
    `Node ${process.versions.node}, ${cpus().length} CPUs (${cpus()[0].model.trim()}), ${process.platform} ${release()}`,
    `PostgreSQL ${postgres.version}: ${postgres.settings}`,
  ];
  if (stores.redis === null) lines.push('No Redis: bullmq is left out.');
  else
    lines.push(
      `Redis ${/redis_version:(\S+)/.exec(await infoOf(stores.redis.url))[1]}: appendfsync everysec`,
    );
  if (stores.mariadb === null) return [...lines, 'No MariaDB: its contenders are left out.'];
  const [mariadb] = await queryMariadb(
    stores.mariadb.url,
    'SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS flush, @@innodb_buffer_pool_size AS pool',
  );
  const settingsOf = `innodb_flush_log_at_trx_commit ${mariadb.flush}, buffer pool ${mariadb.pool / 2 ** 20} MB`;
  return [...lines, `MariaDB ${mariadb.version}: ${settingsOf}`];
}

function chosen(all, wanted, nameOf) {
  if (wanted === undefined) return all;
  const wantedNames = wanted.split(',');
  const known = all.map(nameOf);
  const unknown = wantedNames.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}. Choose from ${known.join(', ')}.`);
  return all.filter((item) => wantedNames.includes(nameOf(item)));
}
