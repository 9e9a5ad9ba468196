import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { occurrencesOf } from '../../../lib/schedules/occurrences.js';
import { scan, scanDays } from './brute-force.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Zones whose clocks are set in their own ways, with the first instants after. */
const TRANSITIONS: readonly (readonly [timeZone: string, ...instants: string[]])[] = [
  ['America/New_York', '2026-03-08T07:00Z', '2026-11-01T06:00Z'],
  ['Europe/Berlin', '2026-03-29T01:00Z', '2026-10-25T01:00Z'],
  ['America/Nuuk', '2026-03-29T01:00Z', '2026-10-25T01:00Z'], // over midnight
  ['Australia/Lord_Howe', '2026-10-03T15:30Z', '2027-04-03T15:00Z'], // by half an hour
  ['Africa/Cairo', '2026-04-23T22:00Z', '2026-10-29T21:00Z'], // at midnight
  ['Asia/Beirut', '2026-03-28T22:00Z', '2026-10-24T21:00Z'],
  ['America/Santiago', '2026-09-06T04:00Z', '2026-04-05T03:00Z'],
  ['America/Havana', '2026-03-08T05:00Z', '2026-11-01T05:00Z'],
  ['Africa/Casablanca', '2027-02-07T02:00Z', '2027-03-14T02:00Z'],
  ['Antarctica/Troll', '2026-03-29T01:00Z', '2026-10-25T01:00Z'], // by two hours
  ['Pacific/Chatham', '2026-09-26T14:00Z', '2026-04-04T14:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'], // by a day
];

const transition = fc.constantFrom(
  ...TRANSITIONS.flatMap(([zone, ...instants]) => instants.map((at) => [zone, Date.parse(at)] as const)),
);

const field = (min: number, max: number) => {
  const step = fc.integer({ min: 2, max: Math.min(20, max - min) });
  const value = fc.integer({ min, max });
  const range = fc
    .tuple(value, value)
    .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);
  return fc.oneof(
    value.map(String),
    fc.uniqueArray(value, { minLength: 2, maxLength: 3 }).map((values) => values.join(',')),
    range.map(([low, high]) => `${low}-${high}`),
    fc.tuple(range, step).map(([[low, high], every]) => `${low}-${high}/${every}`),
    fc.constant('*'),
    step.map((every) => `*/${every}`),
  );
};

/** Most of them are near the hours at which clocks are set. */
const hour = fc.oneof(
  fc.constantFrom('0', '1', '2', '3', '23', '1,2', '0-3', '22-23', '0-4/2', '*'),
  field(0, 23),
);
const weekday = fc.oneof({ weight: 4, arbitrary: fc.constant('*') }, field(0, 7));
const withMinutes = fc.tuple(field(0, 59), hour, weekday).map(([m, h, d]) => `${m} ${h} * * ${d}`);
const withSeconds = fc
  .tuple(fc.constantFrom('0', '30', '15,45', '*/20', '50-59'), field(0, 59), hour)
  .map(([s, m, h]) => `${s} ${m} ${h} * * *`);

const date = fc.oneof(
  field(1, 31),
  fc.constantFrom('L', 'LW', '1W', '15W', '31W', '28W,30W', 'L,15', '29', '30', '31', '29-31'),
);
const dayOfWeek = fc.oneof(
  field(0, 7),
  fc
    .tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom('1', '2', '3', '4', '5', 'L'))
    .map(([day, nth]) => `${day}#${nth}`),
  fc.constantFrom('1#1,3#3', '5#L,1', '+1', '+0,6', '+5#L', '1-5#L'),
);
const days = fc.tuple(date, field(1, 12), dayOfWeek).map((fields) => `0 0 ${fields.join(' ')}`);

const RUNS = { numRuns: 60 };

describe('The ticks of a cron expression', () => {
  it('are those that a scan of each minute around a change of the clocks finds', () => {
    fc.assert(
      fc.property(transition, withMinutes, ([timeZone, at], cron) => {
        const expected = expectTicks(cron, timeZone, at - 36 * HOUR, at + 36 * HOUR);
        // Not only from tick to tick: a search may begin in the middle of a repeated hour.
        for (let asked = at - 3 * HOUR; asked <= at + 3 * HOUR; asked += 7 * MINUTE + 1)
          expectNeighbours(cron, timeZone, asked, expected);
      }),
      RUNS,
    );
  });

  it('are those that a scan of each second around a change of the clocks finds', () => {
    fc.assert(
      fc.property(transition, withSeconds, ([timeZone, at], cron) => {
        expectTicks(cron, timeZone, at - 3 * HOUR, at + 3 * HOUR);
      }),
      { numRuns: 25 },
    );
  });

  it('fall on the days that a scan of each day of seven years finds', () => {
    const [from, to] = ['2098-01-01', '2104-12-31']; // 2100 is no leap year
    fc.assert(
      fc.property(days, (cron) => {
        const expected = scanDays(cron, from, to);
        fc.pre(expected.length > 0);
        expect(ticksIn(cron, 'UTC', Date.parse(from), Date.parse(to)).map(dayOf)).toEqual(expected);
        expect(ticksBackIn(cron, 'UTC', Date.parse(from), Date.parse(to)).map(dayOf)).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('rise strictly and do not depend on where the search begins', () => {
    const anyTime = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2060, 0) });
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    fc.assert(
      fc.property(fc.oneof(withMinutes, withSeconds), zone, anyTime, (cron, timeZone, after) => {
        const first = nextOf(cron, timeZone, after);
        const second = nextOf(cron, timeZone, first);
        expect(first).toBeGreaterThan(after);
        expect(second).toBeGreaterThan(first);
        expect(nextOf(cron, timeZone, first - 1)).toBe(first);
        expect(nextOf(cron, timeZone, Math.floor((first + second) / 2))).toBe(second);
        expect(occurrencesOf({ cron, timeZone }).previous(new Date(second))!.getTime()).toBe(first);
      }),
      RUNS,
    );
  });
});

function expectTicks(cron: string, timeZone: string, from: number, to: number): number[] {
  const expected = scan(cron, timeZone, from, to);
  expect(ticksIn(cron, timeZone, from, to)).toEqual(expected);
  expect(ticksBackIn(cron, timeZone, from, to)).toEqual(expected);
  return expected;
}

/** The ticks before and after an instant, where they are among those that were looked for. */
function expectNeighbours(cron: string, timeZone: string, instant: number, ticks: readonly number[]): void {
  const occurrences = occurrencesOf({ cron, timeZone });
  const after = ticks.find((tick) => tick > instant);
  const before = ticks.findLast((tick) => tick < instant);
  if (after !== undefined) expect(occurrences.next(new Date(instant))).toEqual(new Date(after));
  if (before !== undefined) expect(occurrences.previous(new Date(instant))).toEqual(new Date(before));
}

function ticksIn(cron: string, timeZone: string, from: number, to: number): number[] {
  const occurrences = occurrencesOf({ cron, timeZone });
  const ticks: number[] = [];
  let tick = occurrences.next(new Date(from - 1));
  while (tick !== null && tick.getTime() <= to) {
    ticks.push(tick.getTime());
    tick = occurrences.next(tick);
  }
  return ticks;
}

function ticksBackIn(cron: string, timeZone: string, from: number, to: number): number[] {
  const all = occurrencesOf({ cron, timeZone }).ticksBetween(new Date(from - 1), new Date(to), Infinity);
  return all.map((tick) => tick.getTime());
}

function nextOf(cron: string, timeZone: string, after: number): number {
  return occurrencesOf({ cron, timeZone }).next(new Date(after))!.getTime();
}

function dayOf(instant: number): string {
  return new Date(instant).toISOString().replace('T00:00:00.000Z', '');
}
