import { describe, expect, it } from '@jest/globals';
import {
  ago,
  duration,
  inputValue,
  instant,
  shortInstant,
  utc,
} from '../../../../lib/dashboard/ui/text/times.js';

const AT = Date.UTC(2026, 10, 27, 8, 30, 5);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('Times of the dashboard', () => {
  it('that took some time have two units at most', () => {
    const cases = [
      0,
      350,
      999.6,
      1_240,
      9_999,
      42_900,
      185_000,
      HOUR,
      2 * HOUR + 10 * MINUTE,
      4 * DAY + 3 * HOUR,
    ];
    expect(cases.map(duration)).toEqual([
      ...['0 ms', '350 ms', '1.0 s', '1.2 s', '10.0 s', '42 s', '3m 05s', '1h 00m', '2h 10m', '4d 03h'],
    ]);
  });

  it('are told by their distance from now', () => {
    const cases = [
      0,
      -1_999,
      -2_000,
      -59_999,
      -MINUTE,
      -3 * HOUR,
      -47 * HOUR,
      -48 * HOUR,
      -100 * DAY,
      -800 * DAY,
    ];
    expect(cases.map((distance) => ago(AT + distance, AT))).toEqual([
      ...['just now', 'just now', '2 s ago', '59 s ago', '1 min ago', '3 h ago', '47 h ago', '2 days ago'],
      ...['3 months ago', '2 years ago'],
    ]);
    expect(ago(AT + 5 * MINUTE, AT)).toBe('in 5 min');
  });

  it('that no clock gets to, as infinity in the database, are no date', () => {
    const { at } = JSON.parse(JSON.stringify({ at: new Date(Infinity).getTime() })) as { at: null };
    expect([ago(at, AT), instant(at), shortInstant(at, AT)]).toEqual(['no date', 'no date', 'no date']);
  });

  it('are shown in a zone, and in UTC', () => {
    expect(instant(AT, 'Europe/Berlin')).toBe('2026-11-27 09:30:05');
    expect(instant(AT, 'America/New_York')).toBe('2026-11-27 03:30:05');
    expect(utc(AT)).toBe('2026-11-27 08:30:05 UTC');
    expect(instant(Date.UTC(2026, 0, 1), 'UTC')).toBe('2026-01-01 00:00:00'); // and not 24:00
    expect(inputValue(AT, 'Europe/Berlin')).toBe('2026-11-27T09:30:05');
  });

  it('name the day of the week this year, and else the year', () => {
    expect(shortInstant(AT, AT, 'Europe/Berlin')).toBe('Fri 27 Nov, 09:30');
    expect(shortInstant(AT - 365 * DAY, AT, 'UTC')).toBe('27 Nov 2025, 08:30');
    expect(shortInstant(Date.UTC(2026, 10, 28, 23, 30), AT, 'Asia/Tokyo')).toBe('Sun 29 Nov, 08:30');
  });
});
