/** A connection that comes and goes is told of this often at most. */
const TELL_AGAIN_AFTER_MS = 30_000;

/** Decides which failures are news: the first of an outage, and not each of many short ones. */
export class ToldOutages {
  private toldAt = -Infinity;
  private isTold = false;

  /** @param failures how many have failed in a row, this one included @param now by `performance.now()` */
  failed(failures: number, now: number): boolean {
    if (failures > 1 || now - this.toldAt < TELL_AGAIN_AFTER_MS) return false;
    this.toldAt = now;
    this.isTold = true;
    return true;
  }

  /** @returns whether the outage that is over was told of */
  recovered(): boolean {
    const wasTold = this.isTold;
    this.isTold = false;
    return wasTold;
  }
}
