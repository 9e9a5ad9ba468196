import type { QueryRunner } from 'typeorm';
import { deferred, type Deferred } from '../../async/deferred.js';
import { JobsError } from '../../job/errors.js';

interface Lock {
  readonly owner: QueryRunner;
  readonly free: Deferred<void>;
}

/** What transactions have locked, as a database locks rows: until their end. */
export class MemoryKeyLocks {
  private readonly locks = new Map<string, Lock>();
  /** Whose end a transaction waits for. */
  private readonly waits = new Map<QueryRunner, QueryRunner>();

  /**
   * Waits until no other transaction has any of these. A transaction of the caller's then has them.
   *
   * @param places in ascending order
   * @returns those that it did not have before
   * @throws JobsError where two transactions would wait for one another
   */
  async lock(places: readonly string[], owner: QueryRunner | undefined): Promise<readonly string[]> {
    if (owner === undefined) {
      for (let other = this.first(places); other !== undefined; other = this.first(places))
        await other.free.promise;
      return [];
    }
    const taken: string[] = [];
    try {
      for (const place of places) if (await this.take(place, owner)) taken.push(place);
    } catch (error) {
      this.release(taken);
      throw error;
    }
    return taken;
  }

  release(places: readonly string[]): void {
    for (const place of places) {
      this.locks.get(place)?.free.resolve();
      this.locks.delete(place);
    }
  }

  /** @returns whether it is new to the owner */
  private async take(place: string, owner: QueryRunner): Promise<boolean> {
    for (let other = this.live(place); other !== undefined; other = this.live(place)) {
      if (other.owner === owner) return false;
      this.requireNoCircle(owner, other.owner);
      this.waits.set(owner, other.owner);
      await other.free.promise;
      this.waits.delete(owner);
    }
    this.locks.set(place, { owner, free: deferred() });
    return true;
  }

  private first(places: readonly string[]): Lock | undefined {
    for (const place of places) {
      const lock = this.live(place);
      if (lock !== undefined) return lock;
    }
    return undefined;
  }

  /** A transaction whose connection has been given back is over, whatever was told of its end. */
  private live(place: string): Lock | undefined {
    const lock = this.locks.get(place);
    return lock?.owner.isReleased === true ? undefined : lock;
  }

  private requireNoCircle(owner: QueryRunner, other: QueryRunner): void {
    for (let next: QueryRunner | undefined = other; next !== undefined; next = this.waits.get(next))
      if (next === owner)
        throw new JobsError(
          'Two transactions would wait for one another: each enqueues a unique key that the other has enqueued before.',
        );
  }
}
