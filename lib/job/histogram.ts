/** How many buckets there are for times that are twice as long. The middle of a bucket is at most 9 % off. */
const PER_DOUBLING = 4;
/** From here on, some eight days, all times are in one bucket. */
const LAST_BUCKET = 1 + 29 * PER_DOUBLING + 2;

/** How many there are in each bucket, by its number. Buckets without any are left out. */
export type BucketCounts = Readonly<Record<string, number>>;

/** Times in milliseconds, in buckets of fixed bounds: those of several processes can be added up. */
export class Histogram {
  private readonly counts = new Map<number, number>();

  add(ms: number): void {
    const bucket = bucketOf(ms);
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + 1);
  }

  addAll(counts: BucketCounts): void {
    for (const [bucket, count] of Object.entries(counts))
      this.counts.set(Number(bucket), (this.counts.get(Number(bucket)) ?? 0) + count);
  }

  toJSON(): BucketCounts {
    return Object.fromEntries(this.counts);
  }

  /** The time, in milliseconds, that this share of all do not exceed. Null where there are none. */
  quantile(share: number): number | null {
    let left = share * [...this.counts.values()].reduce((sum, count) => sum + count, 0);
    const buckets = [...this.counts].toSorted(([one], [other]) => one - other);
    for (const [bucket, count] of buckets) {
      left -= count;
      if (left <= 0) return middleOf(bucket);
    }
    return null;
  }
}

function bucketOf(ms: number): number {
  if (!(ms >= 1)) return 0;
  return Math.min(LAST_BUCKET, 1 + Math.floor(Math.log2(ms) * PER_DOUBLING));
}

function middleOf(bucket: number): number {
  return bucket === 0 ? 0.5 : 2 ** ((bucket - 0.5) / PER_DOUBLING);
}
