import type { LiveWorker } from '../../client/live-worker.js';
import { listOf, printable } from '../../events/log-text.js';
import type { DataSourceFacts } from '../jobs.js';
import { timeText } from '../output/format.js';
import type { DoctorBounds } from './bounds.js';
import type { WorkFinding } from './work-codes.js';
import type { WorkLook } from './work-look.js';

/** What is wrong with live workers, by what they tell of themselves. */
export function workerFindings(look: WorkLook, bounds: DoctorBounds): WorkFinding[] {
  return [...releases(look), ...missingZones(look), ...differentZones(look), ...blocked(look, bounds)];
}

function releases({ workers, own }: WorkLook): WorkFinding[] {
  const all = [...new Set([...workers.map(({ release }) => release), own.release])].toSorted();
  if (all.length === 1) return [];
  return [
    {
      code: 'releases-differ',
      severity: 'warning',
      trouble: `Workers and this command are of different releases of the package: ${listOf(all)}.`,
      remedy: 'This is as it should be during a deployment. Otherwise deploy the newest release everywhere.',
    },
  ];
}

const namesOf = (workers: readonly LiveWorker[]) => listOf(workers.map(({ name }) => name));

function missingZones({ workers }: WorkLook): WorkFinding[] {
  const without = workers.filter(({ tzData }) => tzData === null);
  if (without.length === 0) return [];
  return [
    {
      code: 'time-zone-data-missing',
      severity: 'warning',
      trouble: `These workers have no time zone data of their own: ${namesOf(without)}. Cron schedules in a zone may tick at wrong times, or fail.`,
      remedy:
        'Run them on a Node.js with full ICU, as the official builds are; check process.versions.tz there.',
    },
  ];
}

function differentZones({ workers }: WorkLook): WorkFinding[] {
  const versions = [...new Set(workers.flatMap(({ tzData }) => tzData ?? []))].toSorted();
  if (versions.length < 2) return [];
  return [
    {
      code: 'time-zone-data-differs',
      severity: 'warning',
      trouble: `Workers have different versions of the time zone data: ${listOf(versions)}. Where a country has changed its rules, they make the ticks of a schedule at different times.`,
      remedy: 'Run all workers on the same release of Node.js.',
    },
  ];
}

function blocked({ workers }: WorkLook, { maxLoopDelayMs }: DoctorBounds): WorkFinding[] {
  return workers
    .filter(({ eventLoopDelayMs }) => eventLoopDelayMs > maxLoopDelayMs)
    .map(({ name, eventLoopDelayMs, runningKinds }) => {
      const kinds = Object.keys(runningKinds);
      const running = kinds.length === 0 ? '' : ` while it ran ${listOf(kinds)}`;
      return {
        code: 'event-loop-blocked',
        severity: 'warning',
        trouble: `The event loop of the worker ${printable(name)} was blocked for ${timeText(eventLoopDelayMs)!}${running}. A block as long as a lease lets other workers run its jobs again.`,
        remedy:
          'Move long computations of handlers into a worker thread, or give the loop a turn now and then.',
      };
    });
}

const SMALLEST_POOL = 2;

/** What is wrong with the options of a DataSource, as an application has it. */
export function dataSourceFindings({ synchronize, poolSize }: DataSourceFacts): WorkFinding[] {
  const found: WorkFinding[] = [];
  if (synchronize)
    found.push({
      code: 'synchronize-on',
      severity: 'warning',
      trouble:
        'The DataSource has synchronize: true. TypeORM then changes tables at each start, and may drop columns with what is in them.',
      remedy: 'Set synchronize to false outside of development, and use migrations.',
    });
  if (poolSize !== undefined && poolSize < SMALLEST_POOL)
    found.push({
      code: 'pool-small',
      severity: 'warning',
      trouble: `The DataSource has poolSize: ${poolSize}. A handler that holds the connection keeps everything else of the process waiting.`,
      remedy: 'Set poolSize to 10, or leave it out.',
    });
  return found;
}
