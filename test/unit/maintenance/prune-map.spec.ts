import { describe, expect, it } from '@jest/globals';
import { PruneMap, type PrunePace } from '../../../lib/maintenance/prune-map.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PACE: PrunePace = { minMs: HOUR, shortestMs: 7 * DAY };

/** A table of so many rows, of which none is to go; positions are numbers of rows, and a batch reads 5,000. */
class Table {
  now = 1_000_000;
  read = 0;
  nextAt: (from: number) => number | null = () => null;

  constructor(public rows: number) {}

  /** Goes through all that is due, or so many batches. */
  walk(map: PruneMap, batches = Infinity): PruneMap {
    for (let range = map.next(); range !== null && batches > 0; range = map.next(), batches--) {
      const from = Number(range.from ?? 0);
      const end = Math.min(from + 5_000, range.until === null ? this.rows : Number(range.until), this.rows);
      const isAtEnd = end === (range.until === null ? this.rows : Number(range.until));
      const read = Math.max(0, end - from);
      this.read += read;
      const reached = isAtEnd ? null : String(end);
      map.pruned({ read, deleted: 0, reached, nextAt: this.nextAt(from), now: this.now });
    }
    return map;
  }

  map(stored: string | null = null, key = 'k', pace = PACE): PruneMap {
    return PruneMap.read(stored, key, this.now, pace);
  }
}

describe('PruneMap', () => {
  it('goes through the whole table once, and is then due when the first row is to go', () => {
    const table = new Table(100_000);
    table.nextAt = (from) => table.now + (from === 45_000 ? 5 * HOUR : 30 * DAY);
    const map = table.walk(table.map());
    expect(table.read).toBe(100_000);
    expect(map.next()).toBeNull();
    expect(map.dueInMs()).toBe(5 * HOUR);
  });

  it('reads again only the region whose rows are to go', () => {
    const table = new Table(100_000);
    table.nextAt = (from) => (from === 45_000 ? table.now + 5 * HOUR : null);
    const stored = table.walk(table.map()).toString();
    table.read = 0;
    table.now += 5 * HOUR;
    table.nextAt = () => null;
    const map = table.walk(table.map(stored));
    expect(table.read).toBe(20_000);
    table.now += 18 * HOUR;
    expect(table.walk(table.map(map.toString())).dueInMs()).toBe(HOUR);
    expect(table.read).toBe(20_000);
  });

  it('reads every region once a day, though nothing of it is known to go', () => {
    const table = new Table(100_000);
    const stored = table.walk(table.map()).toString();
    table.now += DAY - 1;
    expect(table.map(stored).next()).toBeNull();
    table.now += 1;
    table.read = 0;
    table.walk(table.map(stored));
    expect(table.read).toBe(100_000);
  });

  it('reads a region again when what was settled after it was read may be to go', () => {
    const table = new Table(100_000);
    const map = table.walk(table.map(null, 'k', { minMs: 60_000, shortestMs: 2 * HOUR }));
    expect(map.dueInMs()).toBe(2 * HOUR);
  });

  it('does not read a region again sooner than the pace allows, nor a large table too often', () => {
    const late = { minMs: HOUR, shortestMs: DAY };
    const small = new Table(10_000);
    small.nextAt = () => small.now;
    expect(small.walk(small.map(null, 'k', late)).dueInMs()).toBe(HOUR);
    const large = new Table(10_000_000);
    large.nextAt = () => large.now;
    const map = large.walk(large.map(null, 'k', { minMs: 60_000, shortestMs: 600_000 }));
    expect(map.dueInMs()).toBe(500_000);
  });

  it('goes on where it was interrupted', () => {
    const table = new Table(100_000);
    const half = table.walk(table.map(), 9);
    expect(half.dueInMs()).toBe(0);
    expect(table.read).toBe(45_000);
    table.walk(table.map(half.toString()));
    expect(table.read).toBe(100_000);
  });

  it('has few regions, whatever the size of the table', () => {
    const table = new Table(20_000_000);
    const map = table.walk(table.map());
    table.now += DAY;
    const stored = table.walk(table.map(map.toString())).toString();
    expect(JSON.parse(stored).regions.length).toBeLessThan(450);
    expect(stored.length).toBeLessThan(20_000);
  });

  it('reads what a table has gained at its end, and survives that it has become shorter', () => {
    const table = new Table(50_000);
    const stored = table.walk(table.map()).toString();
    table.now += DAY;
    table.rows = 60_000;
    table.read = 0;
    const grown = table.walk(table.map(stored)).toString();
    expect(table.read).toBe(60_000);
    table.now += DAY;
    table.rows = 5_000;
    table.read = 0;
    const map = new Table(0).map(grown); // a clock at which nothing is due
    expect(map.next()).toBeNull();
  });

  it.each([
    ['no text', null],
    ['what is no JSON', '{'],
    ['null', 'null'],
    ['another map', JSON.stringify({ key: 'other', regions: [[null, 9e15, 5]] })],
    ['a map that does not end with the table', JSON.stringify({ key: 'k', regions: [['5', 9e15, 5]] })],
    ['a map without regions', JSON.stringify({ key: 'k' })],
  ])('begins anew with %s', (_name, stored) => {
    const map = new Table(10).map(stored);
    expect(map.next()).toEqual({ from: null, until: null });
  });
});
