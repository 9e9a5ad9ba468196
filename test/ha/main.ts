import { chownSync, mkdirSync, mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { tableOf, type Line } from './report-table.js';
import type { Group, Scenario, Stoppable } from './scenario.js';
import { LANES } from './scenarios/index.js';
import { OWNER } from './servers/server-process.js';
import { Stage } from './stage.js';

/*
 * npm run test:ha -- [--only part-of-a-name] [--keep]
 *
 * Plays each scenario on servers of its own, prints a table, and ends with "N passed, N failed". With --keep the data and
 * the logs of servers and processes stay.
 */
const SCENARIO_MS = 75_000;

const { values } = parseArgs({ options: { only: { type: 'string' }, keep: { type: 'boolean' } } });
const folder = mkdtempSync(join(tmpdir(), 'jobs-ha-'));
giveToServers(folder);
process.once('exit', () => {
  if (values.keep) console.log(`Everything is in ${folder}`);
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
// Exit through `process.exit`, so that its listeners end the servers and the processes.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

const lines = (await Promise.all(LANES.map((groups, index) => playLane(groups, `${index + 1}`)))).flat();
console.log(`\n${tableOf(lines)}\n`);
const failed = lines.filter(({ failures }) => failures.length > 0);
for (const { name, failures } of failed) console.log(`FAILED ${name}: ${failures.join('; ')}`);
if (lines.length === 0) console.log(`No scenario is named like "${values.only}".`);
console.log(`${lines.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 && lines.length > 0 ? 0 : 1);

function isWanted(name: string): boolean {
  return name.toLowerCase().includes((values.only ?? '').toLowerCase());
}

async function playLane(groups: readonly Group[], number: string): Promise<Line[]> {
  const played: Line[] = [];
  for (const [index, group] of groups.entries()) {
    const scenarios = group.scenarios.filter(({ name }) => isWanted(name));
    if (scenarios.length > 0) played.push(...(await playGroup(group, scenarios, `${number}.${index + 1}`)));
  }
  return played;
}

async function playGroup(
  group: Group,
  scenarios: readonly Scenario<Stoppable>[],
  number: string,
): Promise<Line[]> {
  const since = performance.now();
  try {
    const cluster = await startServers(group, number);
    console.log(`── ${group.name}: started in ${seconds(since)} s`);
    const played: Line[] = [];
    for (const [index, scenario] of scenarios.entries())
      played.push(await play(scenario, cluster, new Stage(join(folder, `${number}.${index + 1}`))));
    await cluster.stop();
    return played;
  } catch (error) {
    console.error(error);
    return scenarios.map(({ name }) => ({
      name,
      seconds: seconds(since),
      failures: [`its servers did not start: ${String(error).split('\n')[0]!}`],
    }));
  }
}

/** Once more where they do not start: whether they do is not what is tested, and a busy machine may keep one from it. */
async function startServers({ start }: Group, number: string): Promise<Stoppable> {
  const inFolder = (name: string) => {
    const servers = join(folder, name);
    mkdirSync(servers);
    giveToServers(servers);
    return start(servers);
  };
  try {
    return await inFolder(`servers-${number}`);
  } catch (error) {
    console.error('── Servers did not start, and are started once more:', error);
    return inFolder(`servers-${number}-again`);
  }
}

async function play(scenario: Scenario<Stoppable>, cluster: Stoppable, stage: Stage): Promise<Line> {
  const { name } = scenario;
  const since = performance.now();
  console.log(`── ${name}`);
  try {
    const timeLimit = sleep(SCENARIO_MS, undefined, { ref: false }).then(() => {
      throw new Error(`it was not over after ${SCENARIO_MS / 1000} s`);
    });
    await Promise.race([scenario.play(stage, cluster), timeLimit]);
  } catch (error) {
    console.error(error);
    stage.failures.push(String(error).split('\n')[0]!);
  }
  await stage.clear();
  const { report } = stage;
  for (const note of report.notes) console.log(`   ${note}`);
  for (const failure of report.failures) console.log(`   FAILED: ${failure}`);
  console.log(`── ${name}: ${report.failures.length === 0 ? 'passed' : 'FAILED'}, ${seconds(since)} s`);
  return { name, seconds: seconds(since), ...report };
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 1000);
}

/** Lets the owner of the servers write here, and the processes under test go through it. */
function giveToServers(path: string): void {
  if (OWNER.uid !== undefined) chownSync(path, OWNER.uid, OWNER.gid);
  chmodSync(path, 0o755);
}
