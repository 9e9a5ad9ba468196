import { describe, expect, it } from '@jest/globals';
import { InvalidScheduleError } from '../../../lib/job/errors.js';
import { resolveSchedule } from '../../../lib/schedules/resolve-schedule.js';
import type { ScheduleSpec } from '../../../lib/schedules/schedule-options.js';
import { decodeRule, encodeRule, type ScheduleRule } from '../../../lib/schedules/schedule-rule.js';

const bounds = { startAt: new Date(1), endAt: new Date(2) };

describe('A stored rule', () => {
  it.each<ScheduleRule>([
    { cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
    { cron: '0 3 * * *', timeZone: 'Europe/Berlin', ...bounds },
    { everyMs: 1000, anchor: new Date(5) },
    { everyMs: 1000, anchor: new Date(5), ...bounds },
  ])('is read back as it was: %j', (rule) => {
    expect(decodeRule(encodeRule(rule))).toEqual(rule);
  });

  it('is the same text for the same rule, however it was written down', () => {
    const text = (spec: ScheduleSpec) => encodeRule(resolveSchedule(spec, 'kind').rule);
    expect(text({ timeZone: 'UTC', endAt: new Date(9e12), cron: ' 0 3  * * * ' })).toBe(
      text({ cron: '0 3 * * *', endAt: new Date(9e12) }),
    );
    expect(text({ cron: '0 3 * * *' })).toBe('{"cron":"0 3 * * *","timeZone":"UTC"}');
    expect(text({ everyMs: 1000, startAt: new Date(7) })).toBe('{"everyMs":1000,"anchor":7,"startAt":7}');
  });

  it.each([
    ...['', 'null', '[]', '{}', '{"cron":5,"timeZone":"UTC"}', '{"cron":"0 3 * * *"}', '{"everyMs":"5"}'],
    ...['{"everyMs":5}', '{"everyMs":5,"anchor":"x"}', '{"everyMs":5,"anchor":1e99}'],
    '{"cron":"0 3 * * *","timeZone":"UTC","endAt":"tomorrow"}',
  ])('that is none is refused: %s', (json) => {
    expect(() => decodeRule(json)).toThrow(InvalidScheduleError);
  });
});
