/** How many buckets there are for times that are twice as long. The middle of a bucket is at most 9 % off. */
const PER_DOUBLING = 4;
/** From here on, some eight days, all times are in one bucket. */
const LAST_BUCKET = 1 + 29 * PER_DOUBLING + 2;

/** How many there are in each bucket, by its number. Buckets without any are left out. */
export type BucketCounts = Readonly<Record<string, number>>;

/** Times in milliseconds, in buckets of fixed bounds: those of several processes can be added up. */
export class Histogram {
  /** By the number of the bucket. */
  private readonly counts: number[] = Array<number>(LAST_BUCKET + 1).fill(0);

  add(ms: number): void {
    this.counts[bucketOf(ms)]! += 1;
  }

  addAll(counts: BucketCounts): void {
    for (const [bucket, count] of Object.entries(counts)) this.addTo(Number(bucket), count);
  }

  toJSON(): BucketCounts {
    return Object.fromEntries([...this.counts.entries()].filter(([, count]) => count > 0));
  }

  /** The time, in milliseconds, that this share of all do not exceed. Null where there are none. */
  quantile(share: number): number | null {
    let left = share * this.counts.reduce((sum, count) => sum + count, 0);
    for (const [bucket, count] of this.counts.entries()) {
      if (count === 0) continue;
      left -= count;
      if (left <= 0) return middleOf(bucket);
    }
    return null;
  }

  /** What another release has stored may have buckets that there are not here. */
  private addTo(bucket: number, count: number): void {
    if (Number.isInteger(bucket)) this.counts[Math.min(LAST_BUCKET, Math.max(0, bucket))]! += count;
  }
}

function bucketOf(ms: number): number {
  if (!(ms >= 1)) return 0;
  return Math.min(LAST_BUCKET, 1 + Math.floor(Math.log2(ms) * PER_DOUBLING));
}

function middleOf(bucket: number): number {
  return bucket === 0 ? 0.5 : 2 ** ((bucket - 0.5) / PER_DOUBLING);
}
