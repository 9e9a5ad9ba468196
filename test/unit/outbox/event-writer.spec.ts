import { describe, expect, it } from '@jest/globals';
import { JobsEvents } from '../../../lib/events/jobs-events.js';
import type { WantedEvents } from '../../../lib/job/job-event.js';
import { EventWriter } from '../../../lib/outbox/event-writer.js';
import type { NewEvent } from '../../../lib/queue/event-store.js';
import { MemoryEvents } from '../../../lib/storage/memory/memory-events.js';
import { until } from '../../support/until.js';

const job = (id: string) => ({ id, kind: 'mail' }) as never;

/** A store that counts what it is asked. */
class CountingStore extends MemoryEvents {
  asked = 0;
  readonly written: NewEvent[] = [];
  wants: WantedEvents[] = [];

  constructor() {
    super(Date.now);
  }

  override async wanted(): Promise<WantedEvents[]> {
    this.asked += 1;
    return Promise.resolve(this.wants);
  }

  override async write(events: readonly NewEvent[]): Promise<void> {
    this.written.push(...events);
    return Promise.resolve();
  }
}

describe('EventWriter', () => {
  const started = () => {
    const [store, events] = [new CountingStore(), new JobsEvents()];
    const writer = new EventWriter(store, events);
    writer.start();
    return { store, events, writer };
  };

  it('asks nothing where nothing happens, and once where much happens that nobody wants', async () => {
    const { store, events, writer } = started();
    expect(store.asked).toBe(0);
    for (let n = 0; n < 100; n++) events.emit('enqueued', { jobs: [job(`job ${n}`)] });
    await writer.stop();
    expect(store.asked).toBe(1);
    expect(store.written).toEqual([]);
  });

  it('writes what happened while it found out that somebody listens', async () => {
    const { store, events, writer } = started();
    store.wants = [{ kinds: ['mail'], types: ['enqueued'] }];
    events.emit('enqueued', { jobs: [job('first'), job('second')] });
    events.emit('waitingCancelled', { jobs: [job('first')], reason: null });
    await until(() => store.written.length > 0);
    events.emit('enqueued', { jobs: [job('third')] });
    await writer.stop();
    const told = store.written.map(({ event }) => (JSON.parse(event) as { jobId: string }).jobId);
    expect(told).toEqual(['first', 'second', 'third']);
  });

  it('tells of a lag, and of no more than so many events, where the storage cannot keep up', async () => {
    const { store, events, writer } = started();
    store.wants = [{ kinds: null, types: null }];
    events.emit('enqueued', { jobs: Array.from({ length: 25_000 }, (_, n) => job(`job ${n}`)) });
    await until(() => store.written.length >= 10_000);
    events.emit('enqueued', { jobs: [job('later')] });
    await writer.stop();
    const types = store.written.map(({ type }) => type);
    expect(types.filter((type) => type === 'lag')).toHaveLength(1);
    expect(types).toHaveLength(10_002);
  });
});
