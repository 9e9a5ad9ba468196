import type { Series } from './metric.js';

/** What has been counted for one series, and was not given on yet. */
interface PendingCount {
  readonly give: Series;
  count: number;
}

/**
 * Keeps counts until they are collected. A library of metrics sorts and joins labels at each call, which costs as much as an
 * attempt may; so it is called once for all that came between two collections.
 */
export class PendingCounts {
  private readonly all: PendingCount[] = [];

  /** @param give takes what was counted */
  series(give: Series): Series {
    const pending: PendingCount = { give, count: 0 };
    this.all.push(pending);
    return (count) => {
      pending.count += count;
    };
  }

  /** Gives on what has been counted. */
  flush(): void {
    for (const pending of this.all) {
      const { count } = pending;
      pending.count = 0;
      if (count > 0) pending.give(count);
    }
  }
}
