import { describe, expect, it } from '@jest/globals';
import { durationText, parseDuration } from '../../../lib/job/duration.js';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    [' 7 d ', 604_800_000],
    ['0s', 0],
    [1_500, 1_500],
    [0, 0],
  ])('reads %j as %d milliseconds', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '7',
    '7days',
    '1w',
    '1y',
    '1.5h',
    '-1d',
    '+1d',
    'd',
    '',
    '7D',
    '1e3s',
    '1h30m',
    -1,
    NaN,
    Infinity,
    null,
    undefined,
    true,
    {},
    ['7d'],
    7n,
  ])('refuses %p', (value) => {
    expect(parseDuration(value)).toBeUndefined();
  });
});

describe('durationText', () => {
  it.each([
    [0, '0ms'],
    [1, '1ms'],
    [1_500, '1500ms'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [36 * 3_600_000, '36h'],
    [7 * 86_400_000, '7d'],
  ])('writes %d as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
    expect(parseDuration(text)).toBe(ms);
  });
});
