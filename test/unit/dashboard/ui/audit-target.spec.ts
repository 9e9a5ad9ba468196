import { describe, expect, it } from '@jest/globals';
import { targetWords } from '../../../../lib/dashboard/ui/text/audit-target.js';

const words = (target: string) => targetWords(target, 'Europe/Berlin');

describe('What an action was done to', () => {
  it('tells a filter in words, with instants in the zone of the viewer', () => {
    const filter = new URLSearchParams([
      ['state', 'failed'],
      ['kind', 'mail & more'],
      ['createdAfter', String(Date.UTC(2026, 10, 27, 8))],
      ['runBefore', String(Date.UTC(2026, 6, 1, 22))],
      ['payload', 'order.id=4711'],
    ]);
    expect(words(`jobs with ${filter.toString()}`)).toBe(
      'jobs with state failed, kind mail & more, created after 2026-11-27 09:00:00, run before 2026-07-02 00:00:00, payload order.id=4711',
    );
  });

  it.each([
    'all jobs',
    'jobs with no filter',
    'job 4711',
    '2 jobs: a=b, c',
    'jobs of the kinds a=b with the error 1f2e3d4c5b6a7980',
    'kind a=b&c',
    'jobs with a b=c',
  ])('leaves anything else as it is: %s', (target) => {
    expect(words(target)).toBe(target);
  });

  it('leaves what is no instant as it is', () => {
    expect(words('jobs with createdAfter=soon&updatedBefore=1e300')).toBe(
      'jobs with createdAfter soon, updatedBefore 1e300',
    );
  });
});
