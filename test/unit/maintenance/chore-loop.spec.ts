import { afterEach, describe, expect, it } from '@jest/globals';
import { sleep } from '../../../lib/async/timers.js';
import { JobsEvents, type JobsEventMap } from '../../../lib/events/jobs-events.js';
import type { Chore } from '../../../lib/maintenance/chore.js';
import { ChoreLoop } from '../../../lib/maintenance/chore-loop.js';
import { MemoryChores } from '../../../lib/storage/memory/memory-chores.js';
import { until } from '../../support/until.js';

const FAST = { lookEveryMs: 5, turnMs: 30 };
const LATER = { dueInMs: 3_600_000, reached: null };

describe('ChoreLoop', () => {
  const loops: ChoreLoop[] = [];
  const events = new JobsEvents();

  class CountingStore extends MemoryChores {
    calls = 0;

    override due(names: readonly string[]): Promise<string[]> {
      this.calls += 1;
      return super.due(names);
    }
  }

  const store = () => new CountingStore(Date.now);
  const loopOf = (chores: readonly Chore[], chosen = store(), holder = 'w-1', timing = FAST) => {
    const loop = new ChoreLoop(chores, chosen, holder, events, timing);
    loops.push(loop);
    loop.start();
    return loop;
  };

  afterEach(async () => {
    await Promise.all(loops.splice(0).map((loop) => loop.stop()));
  });

  it('sends nothing where there are no chores', async () => {
    const chosen = store();
    const loop = loopOf([], chosen);
    const other = loopOf([{ name: 'a', run: () => Promise.resolve(LATER) }]);
    await until(async () => (await other.stop(), true));
    await loop.stop();
    expect(chosen.calls).toBe(0);
  });

  it('does each chore that is due once, by one of several workers', async () => {
    const done: string[] = [];
    const chore = (name: string): Chore => ({
      name,
      run: () => {
        done.push(name);
        return Promise.resolve(LATER);
      },
    });
    const shared = store();
    for (const holder of ['w-1', 'w-2', 'w-3']) loopOf([chore('a'), chore('b')], shared, holder);
    const seen = shared.calls;
    await until(() => shared.calls > seen + 12);
    expect(done.toSorted()).toEqual(['a', 'b']);
  });

  it('goes on at once with a chore that is not finished, from where it was', async () => {
    const heard: (string | null)[] = [];
    const chore: Chore = {
      name: 'a',
      run: (_signal, { reached }) => {
        heard.push(reached);
        const next = Number(reached ?? 0) + 1;
        return Promise.resolve({ dueInMs: next < 4 ? 0 : LATER.dueInMs, reached: String(next) });
      },
    };
    loopOf([chore]);
    await until(() => heard.length === 4);
    expect(heard).toEqual([null, '1', '2', '3']);
  });

  it('ends the turn of a long chore, and lets others have theirs', async () => {
    const turns: string[] = [];
    const long: Chore = {
      name: 'long',
      run: async (signal) => {
        turns.push('long');
        await sleep(Infinity, signal);
        return { dueInMs: 0, reached: null };
      },
    };
    const short: Chore = {
      name: 'short',
      run: () => Promise.resolve(turns.push('short')).then(() => LATER),
    };
    loopOf([long, short]);
    await until(() => turns.filter((turn) => turn === 'long').length === 3);
    expect(turns.slice(0, 3)).toEqual(['long', 'short', 'long']);
  });

  it('tells of a chore that fails, does it again later, and does the others', async () => {
    const told: JobsEventMap['choreFailed'][] = [];
    events.on('choreFailed', (detail) => told.push(detail));
    const error = new Error('no');
    let others = 0;
    const shared = store();
    const bad: Chore = { name: 'bad', run: () => Promise.reject(error) };
    const good: Chore = { name: 'good', run: () => Promise.resolve(others++).then(() => LATER) };
    loopOf([bad, good], shared);
    await until(() => others === 1);
    expect(told).toEqual([{ chore: 'bad', error, failures: 1 }]);
    expect(await shared.take('bad', 'other', 1)).toBeNull(); // it is due in a minute
  });

  it('tells of a storage that does not answer, and looks again', async () => {
    const told: JobsEventMap['choreFailed'][] = [];
    events.on('choreFailed', (detail) => told.push(detail));
    const error = new Error('away');
    const broken = store();
    broken.due = () => Promise.reject(error);
    loopOf([{ name: 'a', run: () => Promise.resolve(LATER) }], broken);
    await until(() => told.length > 0);
    expect(told[0]).toEqual({ error, failures: 1 });
  });

  it('gives back a chore when it is stopped, for another worker to go on with', async () => {
    const shared = store();
    let isRunning = false;
    const chore: Chore = {
      name: 'a',
      run: async (signal) => {
        isRunning = true;
        await sleep(Infinity, signal);
        return { dueInMs: 0, reached: 'half' };
      },
    };
    const loop = loopOf([chore], shared, 'w-1', { lookEveryMs: 5, turnMs: 600_000 });
    await until(() => isRunning);
    expect(await shared.take('a', 'w-2', 1_000)).toBeNull();
    await loop.stop();
    expect(await shared.take('a', 'w-2', 1_000)).toMatchObject({ reached: 'half' });
  });
});
