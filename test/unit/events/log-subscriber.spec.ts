import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { loggedEvents } from '../../../lib/events/log-subscriber.js';
import type { JobsEvents } from '../../../lib/events/jobs-events.js';
import { LeaseLostError } from '../../../lib/job/errors.js';
import type { JobsLogger } from '../../../lib/job/logger.js';
import type { Ended } from '../../../lib/job/outcome.js';
import { MemoryLogger } from '../../support/memory-logger.js';
import { claimedJob, heard, turn } from '../fakes.js';

const DONE: Ended = { type: 'done', result: { json: null, bytes: null } };
const LEVELS = ['error', 'warn', 'log', 'debug'] as const;
const job = claimedJob({ id: 'a', kind: 'mail' });
const refused = { job, outcome: DONE, failures: 1 };

/** Emits one event for each level, and one that has two lines at two levels. */
function emitAll(events: JobsEvents): void {
  events.emit('settled', { job, outcome: { type: 'panic', lastError: 'panic: x' } }); // error
  events.emit('lost', { job, error: new LeaseLostError('a', 'x') }); // warn
  events.emit('workerStopped', { workerId: 'w' }); // log
  events.emit('settled', { job, outcome: DONE }); // debug
  events.emit('settleAbandoned', { job, outcome: DONE }); // error, debug
}

const ALL = [
  'error Job a (kind mail, attempt 1) is PANIC and will not run again: panic: x',
  'warn The lease of job a is lost: x (kind mail, attempt 1)',
  'log Worker w stopped.',
  'debug Job a (kind mail, attempt 1): done, written.',
  'error The outcome (done) of job a (kind mail, attempt 1) could not be written in time.',
  'debug Job a (kind mail, attempt 1): done, abandoned.',
];

describe('LogSubscriber', () => {
  let logger: MemoryLogger;

  beforeEach(() => {
    logger = new MemoryLogger();
  });

  it('writes the lines of each event at their levels', () => {
    emitAll(loggedEvents(logger));
    expect(logger.lines).toEqual(ALL);
  });

  it('writes every line of an event that has several at one level', () => {
    logger.events.emit('settleRefused', refused);
    expect(logger.lines).toEqual([
      'debug The outcome (done) of job a (kind mail, attempt 1) was written by a try whose answer did not come, or its lease is lost.',
      'debug Job a (kind mail, attempt 1): done, lost.',
    ]);
  });

  it('calls the methods of the logger on the logger', () => {
    class Logger {
      readonly lines: string[] = [];
      debug = (): void => undefined;
      warn = (): void => undefined;
      error = (): void => undefined;
      log(message: string): void {
        this.lines.push(message);
      }
    }
    const own = new Logger();
    loggedEvents(own).emit('workerStopped', { workerId: 'w' });
    expect(own.lines).toEqual(['Worker w stopped.']);
  });

  describe('where the logger throws', () => {
    const broken = (): never => {
      throw new Error('disk full');
    };

    it.each(LEVELS)('at the level %s loses those lines and nothing else', (level) => {
      const failing: JobsLogger = Object.assign(logger, { [level]: broken });
      const events = loggedEvents(failing);
      const failed = heard(events, 'listenerFailed');
      const heardAfter = heard(events, 'settleAbandoned');
      emitAll(events);
      expect(logger.lines).toEqual(ALL.filter((line) => !line.startsWith(level)));
      expect(heardAfter).toHaveLength(1);
      expect(failed).toEqual([]); // it would be told to the same logger
    });

    it('loses one line of several, and goes on with the next', () => {
      let calls = 0;
      const debug = (message: string) => (++calls === 1 ? broken() : void logger.lines.push(message));
      loggedEvents(Object.assign(logger, { debug })).emit('settleRefused', refused);
      expect(logger.lines).toEqual(['Job a (kind mail, attempt 1): done, lost.']);
    });

    it('when it is asked whether debug is on loses what is told job by job, and nothing else', () => {
      emitAll(loggedEvents(Object.assign(logger, { isDebugEnabled: broken })));
      expect(logger.lines).toEqual(ALL.filter((line) => !line.startsWith('debug')));
    });

    it('later, as an asynchronous one does, troubles nobody', async () => {
      const late = () => Promise.reject(new Error('disk full')) as never;
      const events = loggedEvents({ debug: late, log: late, warn: late, error: late });
      const failed = heard(events, 'listenerFailed');
      const unhandled = jest.fn();
      process.once('unhandledRejection', unhandled);
      emitAll(events);
      await turn();
      process.off('unhandledRejection', unhandled);
      expect(unhandled).not.toHaveBeenCalled();
      expect(failed).toEqual([]);
    });

    it('at every level loses everything, and the events reach their other listeners', () => {
      const events = loggedEvents({ debug: broken, log: broken, warn: broken, error: broken });
      const [settled, stopped] = [heard(events, 'settled'), heard(events, 'workerStopped')];
      emitAll(events);
      expect([settled.length, stopped.length]).toEqual([2, 1]);
    });
  });

  describe('where debug is off,', () => {
    it('does not even make the lines of it', () => {
      const quiet = new MemoryLogger({ isDebugEnabled: false });
      let reads = 0;
      const counted = new Proxy(job, {
        get: (target, name) => {
          reads += 1;
          return target[name as keyof typeof target];
        },
      });
      quiet.events.emit('settled', { job: counted, outcome: DONE });
      quiet.events.emit('settledInTransaction', { job: counted });
      quiet.events.emit('outcomeDropped', { job: counted });
      quiet.events.emit('quarantined', { job: counted });
      expect(reads).toBe(0);
      expect(quiet.lines).toEqual([]);
      quiet.events.emit('settleAbandoned', { job: counted, outcome: DONE });
      expect(quiet.lines).toEqual([ALL[4]]);
    });

    it('is asked in each turn of the event loop, for it may be switched on while the process runs', async () => {
      let isOn = false;
      let asked = 0;
      const isDebugEnabled = () => {
        asked += 1;
        return isOn;
      };
      const events = loggedEvents(Object.assign(logger, { isDebugEnabled }));
      for (let time = 0; time < 100; time++) events.emit('settled', { job, outcome: DONE });
      expect([logger.lines, asked]).toEqual([[], 1]);
      isOn = true;
      await turn();
      events.emit('settled', { job, outcome: DONE });
      expect(logger.lines).toEqual([ALL[3]]);
    });

    it('but only where the logger says so: one that cannot gets those lines', () => {
      const lines: string[] = [];
      const write = (message: string) => void lines.push(message);
      const events = loggedEvents({ debug: write, log: write, warn: write, error: write });
      events.emit('settled', { job, outcome: DONE });
      expect(lines).toHaveLength(1);
    });
  });

  it('loses a line that cannot be made like one that cannot be written', () => {
    const unreadable = new Proxy(job, {
      get: () => {
        throw new Error('read');
      },
    });
    const failed = heard(logger.events, 'listenerFailed');
    logger.events.emit('abortIgnored', { job: unreadable });
    logger.events.emit('workerStopped', { workerId: 'w' });
    expect(logger.lines).toEqual([ALL[2]]);
    expect(failed).toEqual([]);
  });
});
