import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 180_000;
const BATCH = 1000;

/**
 * Lets one or more processes work off a backlog. The time runs from the command to begin until the store reports that
 * nothing is left. The processes are already up, and have worked off other backlogs before.
 *
 * @param warmUp the number of jobs in those other backlogs: in 40,000, V8 compiles nearly all that it will
 * @returns the jobs a second, and the CPU milliseconds for 10,000 jobs of the store (null if unknown) and of the
 * workers
 */
export async function drain(bench, name, { jobs, processes = 1, warmUp = 2 * jobs, settings, ...handler }) {
  const judge = await bench.judge(name, settings);
  const actors = [];
  try {
    for (let n = 0; n < processes; n++) {
      actors.push(await bench.actor(name, { handler: 'nothing', settings, ...handler }));
    }
    for (const part of partsOf(warmUp)) {
      await fill(judge, part);
      await workOff(judge, actors, part);
      await rest(actors);
    }
    await fill(judge, jobs);
    await bench.settleDown(name, settings);
    const doneBefore = await judge.done();
    const before = await cpuMs(bench, name, actors);
    const ms = await workOff(judge, actors, jobs);
    const after = await cpuMs(bench, name, actors);
    await requireDone(judge, doneBefore, jobs);
    await rest(actors);
    const per10k = (part) => (before[part] === null ? null : ((after[part] - before[part]) * 10_000) / jobs);
    return { rate: (jobs * 1000) / ms, storeCpuMs: per10k('store'), workerCpuMs: per10k('workers') };
  } finally {
    await Promise.all(actors.map((actor) => actor.close()));
    await judge.close();
  }
}

/**
 * Two, because a worker that is started again is another object: V8 has compiled for the only one of its kind, and throws
 * that away. What it compiles then is good for all that follow.
 */
function partsOf(warmUp) {
  const half = Math.ceil(warmUp / 2);
  return [half, warmUp - half].filter((jobs) => jobs > 0);
}

/**
 * A worker drains backlogs in pairs, in turn with something beside it and without, after one that warms up.
 *
 * @param fill makes a backlog
 * @param begin begins what is beside a drain, in the pair of this number
 * @param end ends it
 * @returns for each pair, how fast the drain was with it, as a share of the speed without
 */
export async function drainInPairs({ judge, worker, jobs, pairs, fill: makeBacklog = fill, begin, end }) {
  const drained = async (pair, isBeside) => {
    await makeBacklog(judge, jobs, isBeside);
    if (isBeside) await begin?.(pair);
    const ms = await workOff(judge, [worker], jobs);
    await rest([worker]);
    if (isBeside) await end?.();
    return ms;
  };
  await drained(0, false);
  const ratios = [];
  for (let pair = 0; pair < pairs; pair++) {
    // Which of the two comes first changes from pair to pair.
    const order = pair % 2 === 0 ? [true, false] : [false, true];
    const ms = {};
    for (const isBeside of order) ms[isBeside] = await drained(pair, isBeside);
    ratios.push(ms.false / ms.true);
  }
  return ratios;
}

export async function fill(judge, jobs) {
  for (let n = 0; n < jobs; n += BATCH) {
    await judge.enqueueMany(
      Array.from({ length: Math.min(BATCH, jobs - n) }, (_, index) => ({ n: n + index })),
    );
  }
}

/** @returns how long it took, in milliseconds */
export async function workOff(judge, actors, jobs) {
  for (const actor of actors) actor.runs = 0;
  const start = performance.now();
  const allRun = haveRun(actors, jobs);
  await Promise.all(actors.map((actor) => actor.call('work')));
  await allRun;
  while ((await judge.left()) > 0) {
    if (performance.now() - start > LIMIT_MS) throw new Error(`${await judge.left()} jobs are left.`);
    await sleep(1);
  }
  return performance.now() - start;
}

function haveRun(actors, jobs) {
  return new Promise((resolve, reject) => {
    const runs = () => actors.reduce((sum, actor) => sum + actor.runs, 0);
    const timer = setTimeout(() => reject(new Error(`${runs()} of ${jobs} jobs have run.`)), LIMIT_MS);
    const look = () => {
      if (runs() < jobs) return;
      clearTimeout(timer);
      resolve();
    };
    for (const actor of actors) actor.onProgress(look);
  });
}

function rest(actors) {
  return Promise.all(actors.map((actor) => actor.call('rest')));
}

async function requireDone(judge, before, jobs) {
  const done = await judge.done();
  if (done !== null && done - before !== jobs)
    throw new Error(`The store says ${done - before} of ${jobs} are done.`);
}

async function cpuMs(bench, name, actors) {
  const each = await Promise.all(actors.map((actor) => actor.call('cpuMs')));
  return { store: await bench.storeCpuMs(name), workers: each.reduce((sum, ms) => sum + ms, 0) };
}
