/** How many jobs a worker may run at once: in all, and of a kind that has a limit of its own. */
export class Slots {
  private running = 0;
  private readonly claimedOf = new Map<string, number>();

  constructor(
    private readonly size: number,
    private readonly limits: ReadonlyMap<string, number>,
  ) {}

  /** A job has been claimed: it counts for its kind from here on, so that a claim never brings too many of a kind. */
  claimed(kind: string): void {
    this.claimedOf.set(kind, this.countOf(kind) + 1);
  }

  started(): void {
    this.running += 1;
  }

  ended(kind: string): void {
    this.running -= 1;
    this.gone(kind);
  }

  /** A job that was claimed has been given back. */
  gone(kind: string): void {
    this.claimedOf.set(kind, this.countOf(kind) - 1);
  }

  get free(): number {
    return this.size - this.running;
  }

  /** For each kind with a limit, how many more of it may be claimed. */
  get room(): ReadonlyMap<string, number> {
    return new Map([...this.limits].map(([kind, limit]) => [kind, limit - this.countOf(kind)]));
  }

  hasRoom(kind: string): boolean {
    return (this.limits.get(kind) ?? Infinity) > this.countOf(kind);
  }

  private countOf(kind: string): number {
    return this.claimedOf.get(kind) ?? 0;
  }
}
