import { describe, expect, it } from '@jest/globals';
import { Prefetch } from '../../../lib/worker/prefetch.js';

const SLOTS = 10;

const ended = (pace: Prefetch, count: number, ms = 0.01): void => {
  for (let handler = 0; handler < count; handler++) pace.count(ms);
};

describe('Prefetch', () => {
  it('holds nothing ready before it has measured', () => {
    const pace = new Prefetch(SLOTS);
    expect(pace.ahead(1_000)).toBe(0);
    ended(pace, 10);
    expect(pace.ahead(1_004)).toBe(0); // too short a time to say anything
  });

  it('holds ready what ends within a quarter of a second', () => {
    const pace = new Prefetch(SLOTS);
    pace.ahead(0);
    ended(pace, 20);
    expect(pace.ahead(100)).toBe(50); // 0.2 per millisecond
  });

  it('follows a pace that changes, half by half', () => {
    const pace = new Prefetch(SLOTS);
    pace.ahead(0);
    ended(pace, 20);
    pace.ahead(100);
    ended(pace, 40);
    expect(pace.ahead(200)).toBe(75);
    expect(pace.ahead(300)).toBe(37);
  });

  it('holds a thousand ready at most', () => {
    const pace = new Prefetch(SLOTS);
    pace.ahead(0);
    ended(pace, 1_000);
    expect(pace.ahead(10)).toBe(1_000);
  });

  it('takes handlers that end in the same moment for what they are: ten at once, each of a second', () => {
    const pace = new Prefetch(SLOTS);
    pace.ahead(0);
    ended(pace, 1, 1_000);
    expect(pace.ahead(1_000)).toBe(0);
    ended(pace, 9, 1_000);
    expect(pace.ahead(1_006)).toBe(0); // and not 187
  });

  it('holds little ready where handlers take long, for others may have free slots', () => {
    const pace = new Prefetch(100);
    pace.ahead(0);
    ended(pace, 50, 99);
    expect(pace.ahead(100)).toBe(125); // 0.5 per millisecond
    ended(pace, 50, 101);
    expect(pace.ahead(200)).toBe(12);
    ended(pace, 50, 99);
    expect(pace.ahead(300)).toBe(125);
  });

  it('starts anew after a reset', () => {
    const pace = new Prefetch(SLOTS);
    pace.ahead(0);
    ended(pace, 20);
    pace.ahead(100);
    pace.reset(100);
    expect(pace.ahead(104)).toBe(0);
  });
});
