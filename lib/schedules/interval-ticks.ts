import type { Ticks } from './ticks.js';

/** `anchor` + n × `everyMs`, by arithmetic. */
export class IntervalTicks implements Ticks {
  constructor(
    private readonly everyMs: number,
    private readonly anchor: number,
  ) {}

  next(after: number): number {
    return this.anchor + (Math.floor((after - this.anchor) / this.everyMs) + 1) * this.everyMs;
  }

  previous(before: number): number {
    return this.anchor + (Math.ceil((before - this.anchor) / this.everyMs) - 1) * this.everyMs;
  }
}
