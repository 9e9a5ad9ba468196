import type { ClaimedJob } from '../job/job.js';

/** What the test wants to happen to an attempt. */
export interface Plan {
  /** Thrown instead of calling the handler. */
  readonly failure?: { readonly error: unknown };
  /** The worker dies when the handler has ended, before its outcome is written. */
  readonly crashes: boolean;
  /** The lease is lost when the handler begins. */
  readonly losesLease: boolean;
}

/** What the test wants to happen to attempts that are still to come. */
export class Plans {
  private readonly failures = new Map<string, { readonly error: unknown }[]>();
  private readonly crashes = new Map<string, number>();
  private readonly leasesToLose = new Set<string>();

  failNext(kind: string, error: unknown): void {
    this.failures.set(kind, [...(this.failures.get(kind) ?? []), { error }]);
  }

  crashNext(kind: string): void {
    this.crashes.set(kind, (this.crashes.get(kind) ?? 0) + 1);
  }

  loseLease(id: string): void {
    this.leasesToLose.add(id);
  }

  /** The plan for the attempt that begins now. It is not for another one any more. */
  take({ id, kind }: ClaimedJob): Plan {
    const crashes = this.crashes.get(kind) ?? 0;
    this.crashes.set(kind, Math.max(0, crashes - 1));
    return {
      failure: this.failures.get(kind)?.shift(),
      crashes: crashes > 0,
      losesLease: this.leasesToLose.delete(id),
    };
  }
}
