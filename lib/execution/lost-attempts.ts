/** How many are remembered. */
const MAX_IDS = 1_000;

/**
 * The jobs whose attempts have begun here lately, and whose outcomes were not written: their leases are lost. What runs out
 * under the name of this worker is an attempt where it is one of these, and else a claim that was carried out late.
 */
export class LostAttempts {
  /** The oldest first. */
  private readonly lost = new Set<string>();

  add(id: string): void {
    this.lost.add(id);
    const [oldest] = this.lost;
    if (this.lost.size > MAX_IDS) this.lost.delete(oldest!);
  }

  get ids(): string[] {
    return [...this.lost];
  }
}
