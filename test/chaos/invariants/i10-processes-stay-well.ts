import type { ProcessRecord, WorkerRecord } from '../records.js';
import type { Timelines } from '../timeline.js';
import type { Invariant } from './violations.js';

/** A younger process has not reached its usual size yet. */
const GROWN_UP_MS = 60_000;
const MAX_GROWTH_MB = 80;
type Sample = WorkerRecord & { type: 'sample' };

/** I10: no process ended without being killed, connections stay within the pool, and memory does not grow. */
export const processesStayWell: Invariant = (times) => [
  ...times.history.processes.flatMap((process) => unwantedExit(process, times)),
  ...samplesByProcess(times).flatMap((samples) => outgrown(samples, times)),
];

function unwantedExit(process: ProcessRecord, { history }: Timelines) {
  if (process.exitedAt === undefined || process.wanted) return [];
  const { pid, name } = process;
  const isByJob =
    process.code === 86 && history.workers.some((record) => record.type === 'exit' && record.pid === pid);
  if (isByJob) return [];
  const how = process.signal ?? `code ${process.code}`;
  return [{ invariant: 'I10', message: `${name} (pid ${pid}) ended with ${how}, and nobody killed it` }];
}

function samplesByProcess({ history }: Timelines): Sample[][] {
  const groups = new Map<number, Sample[]>();
  for (const record of history.workers) {
    if (record.type !== 'sample') continue;
    groups.set(record.pid, [...(groups.get(record.pid) ?? []), record]);
  }
  return [...groups.values()];
}

function outgrown(samples: readonly Sample[], { history }: Timelines) {
  const violations = [];
  const { maxSockets } = history.settings;
  const name = history.processes.find(({ pid }) => pid === samples[0]!.pid)?.name ?? 'a worker';
  const most = Math.max(...samples.map(({ sockets }) => sockets));
  if (most > maxSockets)
    violations.push({
      invariant: 'I10',
      message: `${name} had ${most} connections; ${maxSockets} are its limit`,
    });
  const grownUp = samples.filter(({ at }) => at - samples[0]!.at > GROWN_UP_MS / 2);
  if (samples.at(-1)!.at - samples[0]!.at < GROWN_UP_MS) return violations;
  // The smallest of several samples is close to the memory in use after garbage collection.
  const third = Math.ceil(grownUp.length / 3);
  const least = (some: readonly Sample[]) => Math.min(...some.map(({ heapMb }) => heapMb));
  const growth = least(grownUp.slice(-third)) - least(grownUp.slice(0, third));
  if (growth > MAX_GROWTH_MB)
    violations.push({ invariant: 'I10', message: `${name} grew by ${growth.toFixed(0)} MB` });
  return violations;
}
