import { beforeEach, describe, expect, it } from '@jest/globals';
import { deferred } from '../../../lib/async/deferred.js';
import { JobsEvents } from '../../../lib/events/jobs-events.js';
import { heard, turn } from '../fakes.js';

const STARTED = { workerId: 'w', concurrency: 10, kinds: ['mail'] };
const STOPPED = { workerId: 'w' };

let events: JobsEvents;
let told: string[];

beforeEach(() => {
  events = new JobsEvents();
  told = [];
});

describe('JobsEvents', () => {
  it('calls listeners before emit returns, with the detail as it is', () => {
    const details: unknown[] = [];
    events.on('workerStarted', (detail) => details.push(detail));
    events.emit('workerStarted', STARTED);
    expect(details).toHaveLength(1);
    expect(details[0]).toBe(STARTED);
  });

  it('calls them in the order in which they were added', () => {
    for (const name of ['first', 'second', 'third']) events.on('workerStopped', () => told.push(name));
    events.emit('workerStopped', STOPPED);
    expect(told).toEqual(['first', 'second', 'third']);
  });

  it('calls each for its own event alone', () => {
    events.on('workerStarted', () => told.push('started'));
    events.on('workerStopped', () => told.push('stopped'));
    events.emit('workerStopped', STOPPED);
    expect(told).toEqual(['stopped']);
  });

  it('waits for no listener that returns a promise', async () => {
    const work = deferred();
    events.on('workerStopped', async () => {
      await work.promise;
      told.push('late');
    });
    events.on('workerStopped', () => told.push('second'));
    events.emit('workerStopped', STOPPED);
    expect(told).toEqual(['second']);
    work.resolve();
    await turn();
    expect(told).toEqual(['second', 'late']);
  });

  it('calls a listener no more that was ended, which may be said twice', () => {
    const end = events.on('workerStopped', () => told.push('ended'));
    events.on('workerStopped', () => told.push('other'));
    end();
    end();
    events.emit('workerStopped', STOPPED);
    expect(told).toEqual(['other']);
  });

  it('ends one listening at a time where the same function listens twice', () => {
    const listener = () => told.push('heard');
    const [endFirst, endSecond] = [
      events.on('workerStopped', listener),
      events.on('workerStopped', listener),
    ];
    events.emit('workerStopped', STOPPED);
    expect(told).toHaveLength(2);
    endFirst();
    endFirst();
    events.emit('workerStopped', STOPPED);
    expect(told).toHaveLength(3);
    endSecond();
    events.emit('workerStopped', STOPPED);
    expect(told).toHaveLength(3);
  });

  it('is not troubled by listeners that come and go while it tells', () => {
    const ends: (() => void)[] = [];
    events.on('workerStopped', () => {
      told.push('first');
      for (const end of ends) end();
      events.on('workerStopped', () => told.push('new'));
    });
    ends.push(events.on('workerStopped', () => told.push('second')));
    events.emit('workerStopped', STOPPED);
    expect(told).toEqual(['first', 'second']); // as they were when it began
    told.length = 0;
    events.emit('workerStopped', STOPPED);
    expect(told).toEqual(['first', 'new']);
  });

  it('costs nothing where nobody listens: not even the detail is looked at', () => {
    const untouchable = new Proxy(STOPPED, {
      get: () => {
        throw new Error('read');
      },
    });
    events.emit('workerStopped', untouchable);
    events.on('workerStopped', () => told.push('heard'))();
    events.emit('workerStopped', untouchable);
    expect(told).toEqual([]);
  });
});

describe('a listener that fails', () => {
  const error = new Error('broken');
  const fails = {
    'throws an error': () => {
      throw error;
    },
    'returns a promise that rejects': () => Promise.reject(error),
    // As those of other libraries and other realms are.
    'returns something like a promise that rejects': () => ({
      then: (_resolve: unknown, reject: (reason: unknown) => void) => setImmediate(() => reject(error)),
    }),
  };

  it.each(Object.entries(fails))(
    'and %s changes nothing for others, and is told once',
    async (_how, fail) => {
      const failed = heard(events, 'listenerFailed');
      events.on('workerStopped', () => told.push('first'));
      events.on('workerStopped', fail);
      events.on('workerStopped', () => told.push('third'));
      events.emit('workerStopped', STOPPED);
      expect(told).toEqual(['first', 'third']);
      await turn();
      await turn();
      expect(failed).toEqual([{ event: 'workerStopped', error }]);
      events.emit('workerStopped', STOPPED);
      expect(told).toHaveLength(4);
    },
  );

  it.each(Object.entries(fails))(
    'and %s while it is told of failures is told to nobody',
    async (_how, fail) => {
      let calls = 0;
      events.on('listenerFailed', () => {
        calls += 1;
        return fail();
      });
      events.on('workerStopped', fail);
      events.emit('workerStopped', STOPPED);
      await turn();
      await turn();
      expect(calls).toBe(1);
    },
  );

  it('need not throw an error', () => {
    const failed = heard(events, 'listenerFailed');
    events.on('workerStopped', () => {
      throw 'a text';
    });
    events.emit('workerStopped', STOPPED);
    expect(failed).toEqual([{ event: 'workerStopped', error: 'a text' }]);
  });

  it('may return whatever it likes', async () => {
    const failed = heard(events, 'listenerFailed');
    for (const answer of [undefined, null, 0, 'text', {}, { then: 'not a function' }, Promise.resolve(1)])
      events.on('workerStopped', () => answer);
    events.emit('workerStopped', STOPPED);
    await turn();
    expect(failed).toEqual([]);
  });
});
