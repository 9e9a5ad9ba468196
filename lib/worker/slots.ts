/** How many jobs a worker may run at once: in all, and of a kind that has a limit of its own. */
export class Slots {
  private taken = 0;
  private readonly takenOf = new Map<string, number>();

  constructor(
    private readonly size: number,
    private readonly limits: ReadonlyMap<string, number>,
  ) {}

  take(kind: string): void {
    this.taken += 1;
    this.takenOf.set(kind, this.takenBy(kind) + 1);
  }

  give(kind: string): void {
    this.taken -= 1;
    this.takenOf.set(kind, this.takenBy(kind) - 1);
  }

  get free(): number {
    return this.size - this.taken;
  }

  /** For each kind with a limit, how many more of it may run. */
  get room(): ReadonlyMap<string, number> {
    return new Map([...this.limits].map(([kind, limit]) => [kind, limit - this.takenBy(kind)]));
  }

  hasRoom(kind: string): boolean {
    return this.free > 0 && (this.limits.get(kind) ?? Infinity) > this.takenBy(kind);
  }

  private takenBy(kind: string): number {
    return this.takenOf.get(kind) ?? 0;
  }
}
