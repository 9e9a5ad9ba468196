import { beforeEach, describe, expect, it } from '@jest/globals';
import { LeaseLostError } from '../../../lib/job/errors.js';
import type { JobExecution } from '../../../lib/execution/job-execution.js';
import { Dispatcher } from '../../../lib/worker/dispatcher.js';
import { Slots } from '../../../lib/worker/slots.js';
import { Quarantine } from '../../../lib/worker/quarantine.js';
import { MemoryLogger } from '../../support/memory-logger.js';
import { claimedJob } from '../fakes.js';

const SETTINGS = { leaseMs: 150, maxCrashes: 3 };

/** A job whose workers have died twice, and whose lease may be lost. */
const suspect = (id: string) =>
  ({ job: claimedJob({ id, crashes: 2 }), lease: { lost: undefined } }) as JobExecution & {
    lease: { lost: LeaseLostError | undefined };
  };

describe('Quarantine', () => {
  let ran: string[];
  let givenBack: string[];
  let setApart: (run: JobExecution) => Promise<boolean>;
  let allWritten: () => Promise<void>;
  let suspects: Quarantine;

  beforeEach(() => {
    [ran, givenBack] = [[], []];
    setApart = async () => true;
    allWritten = () => Promise.resolve();
    const slots = new Slots(10, new Map());
    const dispatcher = new Dispatcher(
      slots,
      async ({ job }) => {
        ran.push(job.id);
      },
      () => undefined,
    );
    suspects = new Quarantine(slots, dispatcher, SETTINGS, new MemoryLogger(), {
      setApart: (run) => setApart(run),
      giveBack: async (runs) => {
        givenBack.push(...runs.map(({ job }) => job.id));
      },
      allWritten: () => allWritten(),
    });
  });

  it('waits no longer than a lease for an outcome that cannot be written, and marks nobody beside it', async () => {
    allWritten = () => new Promise(() => undefined);
    const marked: string[] = [];
    setApart = async ({ job }) => {
      marked.push(job.id);
      return true;
    };
    await suspects.run([suspect('a'), suspect('b')]);
    expect(ran).toEqual(['a', 'b']);
    expect(marked).toEqual([]);
  });

  it('runs a job that is set apart, and gives back one whose lease others have', async () => {
    setApart = async ({ job }) => job.id === 'a';
    await suspects.run([suspect('a'), suspect('b')]);
    expect(ran).toEqual(['a']);
    expect(givenBack).toEqual(['b']);
  });

  it('runs a job also where the answer is lost or late, lest it be convicted without having been started', async () => {
    setApart = ({ job }) =>
      job.id === 'lost' ? Promise.reject(new Error('connection lost')) : new Promise(() => undefined);
    await suspects.run([suspect('lost'), suspect('late')]);
    expect(ran).toEqual(['lost', 'late']);
    expect(givenBack).toEqual([]);
  });

  it('marks no job whose lease was lost while it waited for its turn', async () => {
    const marked: string[] = [];
    setApart = async ({ job }) => {
      marked.push(job.id);
      return true;
    };
    const late = suspect('late');
    late.lease.lost = new LeaseLostError('late', 'it has run out');
    await suspects.run([suspect('a'), late]);
    expect(marked).toEqual(['a']);
    expect(givenBack).toEqual(['late']);
  });
});
