import type { Pruned, PruneRange } from '../queue/retention-store.js';

/** A region has about so many rows, and a map so many regions at most, whatever the size of the table. */
const ROWS_OF_REGION = 20_000;
const MAX_REGIONS = 400;
const DAY_MS = 86_400_000;

/** A part of the table, from where the one before it ends, and when it is to be read again. */
interface Region {
  /** Where it ends; null at the end of the table. */
  readonly until: string | null;
  /** Milliseconds since 1970, by the clock of the storage. */
  readonly dueAt: number;
  /** How many rows it had when it was read. */
  readonly rows: number;
}

/** How soon a region is read again. */
export interface PrunePace {
  /** Not sooner, in milliseconds. */
  readonly minMs: number;
  /** The shortest time for which a job is kept: what is settled after a region was read is not to go before that. */
  readonly shortestMs: number;
}

/**
 * Which parts of the table have to be read, and when. A region whose rows are all to be kept for days is passed over until
 * then, so a table is not read again and again for the few rows of it that are to go. It is read once a day in any case:
 * rows may come into it that are older than this map knows, such as imported ones.
 */
export class PruneMap {
  /** Regions that have been read, or passed over. */
  private readonly seen: Region[] = [];
  /** How far the table has been read or passed over; null at its beginning. */
  private position: string | null = null;
  /** Whether a region is being read, which ends for now at the position. */
  private isReading = false;
  private rows = 0;
  private nextAt = Infinity;

  /** @param ahead regions that have not been read yet, in their order; the last one ends with the table */
  private constructor(
    private readonly ahead: Region[],
    private now: number,
    private readonly pace: PrunePace,
    private readonly key: string,
  ) {}

  /**
   * @param stored what `toString` has written, with the same key; anything else is a map on which the whole table is due
   * @param now by the clock of the storage, in milliseconds since 1970
   */
  static read(stored: string | null, key: string, now: number, pace: PrunePace): PruneMap {
    const map = parse(stored);
    const ahead = map.regions.map(([until, dueAt, rows]): Region => ({ until, dueAt, rows }));
    const isUsable = map.key === key && ahead.at(-1)?.until === null;
    return new PruneMap(isUsable ? ahead : [{ until: null, dueAt: 0, rows: 0 }], now, pace, key);
  }

  /** The next part to be read; null where none is due any more. */
  next(): PruneRange | null {
    for (let [region] = this.ahead; region !== undefined; [region] = this.ahead) {
      if (region.dueAt <= this.now) return { from: this.position, until: region.until };
      if (this.isReading) this.close();
      this.seen.push(region);
      this.goTo(region.until);
    }
    return null;
  }

  /** The part that `next` told of has been read, or the beginning of it. */
  pruned({ read, deleted, reached, nextAt, now }: Pruned): void {
    this.now = now;
    this.isReading = true;
    this.rows += read - deleted;
    this.nextAt = Math.min(this.nextAt, nextAt ?? Infinity);
    if (reached === null) this.goTo(this.ahead[0]!.until);
    else this.position = reached;
    if (this.ahead.length === 0 || this.rows >= this.rowsOfRegion) this.close();
  }

  /** In how many milliseconds to read on; 0 where a region is due that has not been read yet. */
  dueInMs(): number {
    if (this.next() !== null) return 0;
    const firstAt = Math.min(...this.seen.map(({ dueAt }) => dueAt));
    return Math.max(firstAt - this.now, this.allRows * MS_PER_ROW);
  }

  /** To be stored. */
  toString(): string {
    const regions = this.regions.map(({ until, dueAt, rows }) => [until, Math.round(dueAt), rows]);
    return JSON.stringify({ key: this.key, regions });
  }

  private get regions(): readonly Region[] {
    return [...this.seen, ...(this.isReading ? [this.current] : []), ...this.ahead];
  }

  private get current(): Region {
    return { until: this.position, dueAt: this.dueAt, rows: this.rows };
  }

  /** The first region ahead lies behind now. */
  private goTo(until: string | null): void {
    this.ahead.shift();
    this.position = until;
  }

  /** The region that is being read ends here. */
  private close(): void {
    this.seen.push(this.current);
    this.isReading = false;
    this.rows = 0;
    this.nextAt = Infinity;
  }

  private get dueAt(): number {
    const { now, pace } = this;
    const expected = Math.min(this.nextAt, now + pace.shortestMs);
    return Math.min(Math.max(expected, now + pace.minMs), now + DAY_MS);
  }

  private get allRows(): number {
    return [...this.seen, ...this.ahead].reduce((sum, { rows }) => sum + rows, this.rows);
  }

  private get rowsOfRegion(): number {
    return Math.max(ROWS_OF_REGION, this.allRows / MAX_REGIONS);
  }
}

/** The table is not read more often than this for each of its rows: ten million are not read twice within 8 minutes. */
const MS_PER_ROW = 0.05;

interface StoredMap {
  readonly key: string;
  readonly regions: readonly (readonly [until: string | null, dueAt: number, rows: number])[];
}

function parse(stored: string | null): StoredMap {
  const nothing: StoredMap = { key: '', regions: [] };
  try {
    const map = JSON.parse(stored ?? 'null') as Partial<StoredMap> | null;
    return { ...nothing, ...map };
  } catch {
    return nothing;
  }
}
