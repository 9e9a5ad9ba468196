import { expect } from '@jest/globals';
import type { Outcome } from '../../../lib/job/outcome.js';
import type { Lease } from '../../../lib/queue/lease.js';
import type { ClockedStore } from '../clocked-store.js';
import { Command } from './commands.js';
import type { QueueModel } from './queue-model.js';

/** Which of the leases that were handed out so far a command names: live ones, lost ones, and one that never was. */
export interface LeaseChoice {
  readonly place: number;
  readonly isForged: boolean;
}

abstract class LeasesCommand extends Command {
  constructor(protected readonly choices: readonly LeaseChoice[]) {
    super();
  }

  protected leasesOf({ leases }: QueueModel): Lease[] {
    const chosen = this.choices.flatMap(({ place, isForged }) => {
      const lease = leases.at(-1 - (place % Math.max(leases.length, 1)));
      if (lease === undefined) return [];
      return isForged ? { ...lease, leaseToken: lease.leaseToken + 1 } : lease;
    });
    return [...new Map(chosen.map((lease) => [`${lease.leaseToken} ${lease.id}`, lease])).values()];
  }

  override check(model: Readonly<QueueModel>): boolean {
    return model.leases.length > 0;
  }
}

export class Renew extends LeasesCommand {
  constructor(
    choices: readonly LeaseChoice[],
    private readonly leaseMs: number,
    private readonly alone: boolean,
  ) {
    super(choices);
  }

  protected async act(model: QueueModel, { store }: ClockedStore): Promise<void> {
    const leases = this.leasesOf(model).map((lease) => ({ ...lease, alone: this.alone }));
    const answers = await store.queue.renew(leases, this.leaseMs);
    expect(answers).toEqual(leases.map((lease) => model.renew(lease, this.leaseMs, this.alone)));
  }
}

export class Settle extends LeasesCommand {
  constructor(
    choices: readonly LeaseChoice[],
    private readonly outcomes: readonly Outcome[],
  ) {
    super(choices);
  }

  protected async act(model: QueueModel, { store }: ClockedStore): Promise<void> {
    const settlements = this.leasesOf(model).map((lease, index) => ({
      ...lease,
      outcome: this.outcomes[index % this.outcomes.length]!,
    }));
    const answers = await store.queue.settle(settlements);
    expect(answers).toEqual(settlements.map((settlement) => model.settle(settlement, settlement.outcome)));
  }
}

export class Release extends LeasesCommand {
  protected async act(model: QueueModel, { store }: ClockedStore): Promise<void> {
    const leases = this.leasesOf(model);
    await store.queue.release(leases);
    for (const lease of leases) model.release(lease);
  }
}

export class ReleaseUnheld extends LeasesCommand {
  constructor(
    choices: readonly LeaseChoice[],
    private readonly workerId: string,
  ) {
    super(choices);
  }

  protected async act(model: QueueModel, { store }: ClockedStore): Promise<void> {
    const held = this.leasesOf(model);
    expect(await store.queue.releaseUnheld(this.workerId, held)).toBe(
      model.releaseUnheld(this.workerId, held),
    );
  }
}

export class Reclaim extends LeasesCommand {
  constructor(
    choices: readonly LeaseChoice[],
    private readonly maxCrashes: number,
  ) {
    super(choices);
  }

  protected async act(model: QueueModel, { store }: ClockedStore): Promise<void> {
    const held = this.leasesOf(model);
    const reclaimed = await store.queue.reclaim(this.maxCrashes, () => held);
    const expected = model.reclaim(this.maxCrashes, held);
    const sorted = <J extends { id: string }>(jobs: readonly J[]) =>
      jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(sorted(reclaimed)).toEqual(sorted(expected));
  }
}
