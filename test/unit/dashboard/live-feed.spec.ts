import { describe, expect, it } from '@jest/globals';
import type { EventStream } from '../../../lib/dashboard/web/live-stream.js';
import { LiveFeed } from '../../../lib/dashboard/web/live-feed.js';
import { until } from '../../support/until.js';

const FAST = { everyMs: 5, beatMs: 1_000_000, lifeMs: 1_000_000 };

class TestStream implements EventStream {
  readonly texts: string[] = [];
  isEnded = false;
  private closed: () => void = () => undefined;

  write(text: string): boolean {
    this.texts.push(text);
    return true;
  }

  end(): void {
    this.isEnded = true;
    this.close();
  }

  onClose(callback: () => void): void {
    this.closed = callback;
  }

  close(): void {
    this.closed();
  }

  get data(): string[] {
    return this.texts.filter((text) => text.startsWith('data: '));
  }
}

describe('The live feed', () => {
  it('tells a stream at once and again and again, until it is closed', async () => {
    let reads = 0;
    const feed = new LiveFeed(() => Promise.resolve({ reads: ++reads }), FAST);
    const stream = new TestStream();
    feed.join(stream);
    await until(() => stream.data.length >= 3);
    expect(stream.texts[0]).toBe('retry: 2000\n\n');
    expect(stream.data.slice(0, 3)).toEqual([1, 2, 3].map((n) => `data: {"reads":${n}}\n\n`));
    stream.close();
    const [before, told] = [reads, stream.texts.length];
    const other = new TestStream();
    expect(feed.size).toBe(0);
    feed.join(other);
    await until(() => other.data.length >= 1);
    expect(stream.texts).toHaveLength(told);
    expect(reads).toBeGreaterThan(before);
    feed.stop();
  });

  it('reads once for all, and nothing without a stream', async () => {
    let reads = 0;
    const feed = new LiveFeed(() => Promise.resolve(++reads), { ...FAST, everyMs: 1_000_000 });
    expect(reads).toBe(0);
    const streams = Array.from({ length: 20 }, () => new TestStream());
    for (const stream of streams) feed.join(stream);
    await until(() => streams.every(({ data }) => data.length === 1));
    expect(reads).toBe(1);
    feed.stop();
  });

  it('tells why there is nothing to tell, and goes on', async () => {
    let fails = true;
    const feed = new LiveFeed(() => (fails ? Promise.reject(new Error('secret')) : Promise.resolve(1)), FAST);
    const stream = new TestStream();
    feed.join(stream);
    await until(() => stream.texts.length >= 2);
    expect(stream.texts[1]).toMatch(/^event: refusal\ndata: \{"error":\{"code":"internal"/);
    expect(stream.texts[1]).not.toContain('secret');
    fails = false;
    await until(() => stream.data.length > 0);
    feed.stop();
  });

  it('lets a silent stream hear something, and ends one that is old', async () => {
    const feed = new LiveFeed(() => Promise.resolve(1), { everyMs: 1_000_000, beatMs: 5, lifeMs: 100 });
    const stream = new TestStream();
    feed.join(stream);
    await until(() => stream.texts.includes(': still here\n\n'));
    await until(() => stream.isEnded);
    expect(feed.size).toBe(0);
  });

  it('ends all at the end, and takes no more', () => {
    const feed = new LiveFeed(() => Promise.resolve(1), FAST);
    const streams = [new TestStream(), new TestStream()];
    for (const stream of streams) feed.join(stream);
    feed.stop();
    expect(streams.map(({ isEnded }) => isEnded)).toEqual([true, true]);
    expect(feed.size).toBe(0);
    expect(() => feed.requireRoom()).toThrow('ends');
  });

  it('takes two hundred streams at most', () => {
    const feed = new LiveFeed(() => Promise.resolve(1), { ...FAST, everyMs: 1_000_000 });
    for (let n = 0; n < 200; n++) {
      feed.requireRoom();
      feed.join(new TestStream());
    }
    expect(() => feed.requireRoom()).toThrow('200 pages');
    feed.stop();
  });
});
