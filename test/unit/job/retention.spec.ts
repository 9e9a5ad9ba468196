import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError } from '../../../lib/job/errors.js';
import { KEEP_ALL, resolveRetention, type RetentionOptions } from '../../../lib/job/retention.js';
import { thrownBy } from '../fakes.js';

const DAY = 86_400_000;
const agesOf = (options: RetentionOptions | false | undefined, kind = 'mail') => {
  const retention = resolveRetention(options);
  return ['DONE', 'CANCELLED', 'FAILED', 'PANIC'].map((status) => retention.ageOf(kind, status));
};

describe('The option retention', () => {
  it('keeps what is done and cancelled for a week, and failures for 90 days, by default', () => {
    expect(agesOf(undefined)).toEqual([7 * DAY, 7 * DAY, 90 * DAY, 90 * DAY]);
    expect(agesOf({ done: '1d' })).toEqual([DAY, 7 * DAY, 90 * DAY, 90 * DAY]);
  });

  it('keeps everything where it is false, and a status that is false', () => {
    expect(agesOf(false)).toEqual([undefined, undefined, undefined, undefined]);
    expect(resolveRetention(false)).toBe(KEEP_ALL);
    expect(KEEP_ALL.keepsAll).toBe(true);
    expect(agesOf({ failed: false })).toEqual([7 * DAY, 7 * DAY, undefined, 90 * DAY]);
    const none = { done: false, cancelled: false, failed: false, panic: false } as const;
    expect(resolveRetention(none).keepsAll).toBe(true);
    expect(resolveRetention({ ...none, perKind: { mail: { done: 0 } } }).keepsAll).toBe(false);
  });

  it('takes from the general times what a kind leaves out', () => {
    const perKind = {
      mail: { done: '12h', failed: false },
      ' trimmed ': { panic: 0 },
      audit: false,
    } as const;
    expect(agesOf({ cancelled: 5, perKind })).toEqual([DAY / 2, 5, undefined, 90 * DAY]);
    expect(agesOf({ cancelled: 5, perKind }, 'trimmed')).toEqual([7 * DAY, 5, 90 * DAY, 0]);
    expect(agesOf({ perKind }, 'audit')).toEqual([undefined, undefined, undefined, undefined]);
    expect(agesOf({ perKind }, 'other')).toEqual([7 * DAY, 7 * DAY, 90 * DAY, 90 * DAY]);
  });

  it('knows which jobs are deleted with their settlement', () => {
    const retention = resolveRetention({ done: 0, perKind: { mail: { done: '1d', failed: '0s' } } });
    const asked = ['mail', 'other'].flatMap((kind) =>
      ['DONE', 'FAILED', 'PENDING', 'toString'].map((status) => retention.deletesAtOnce(kind, status)),
    );
    expect(asked).toEqual([false, true, false, false, true, false, false, false]);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['a text that is no duration', { done: '7 days' }, 'retention.done', /'7d', '12h'.*false/],
    ['a negative number', { failed: -1 }, 'retention.failed', /100 years/],
    ['more than a hundred years', { panic: '40000d' }, 'retention.panic', /100 years/],
    ['true', { cancelled: true }, 'retention.cancelled', /false to keep/],
    ['null', { cancelled: null }, 'retention.cancelled', /false to keep/],
    ['a mistyped status', { faild: '1d' }, 'retention.faild', /Did you mean "failed"\?/],
    ['a status of the table', { DONE: '1d' }, 'retention.DONE', /Did you mean "done"\?/],
    ['a list of kinds', { perKind: ['mail'] }, 'retention.perKind', /an object/],
    ['an empty kind', { perKind: { ' ': { done: 1 } } }, 'retention.perKind', /a kind as the name/],
    [
      'a duration for a kind',
      { perKind: { mail: '1d' } },
      'retention.perKind.mail',
      /done, cancelled, failed/,
    ],
    ['a wrong time of a kind', { perKind: { mail: { done: 'x' } } }, 'retention.perKind.mail.done', /'7d'/],
    [
      'a mistyped status of a kind',
      { perKind: { mail: { dome: 1 } } },
      'retention.perKind.mail.dome',
      /"done"/,
    ],
  ])('refuses %s', (_name, options, option, message) => {
    const error = thrownBy(() => resolveRetention(options as RetentionOptions)) as InvalidOptionError;
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error.option).toBe(option);
    expect(error.message).toMatch(message);
  });
});
