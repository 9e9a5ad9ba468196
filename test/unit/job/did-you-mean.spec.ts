import { describe, expect, it } from '@jest/globals';
import { likelyName } from '../../../lib/job/did-you-mean.js';

describe('likelyName', () => {
  const names = ['maxAttempts', 'backoff', 'timeoutMs', 'concurrency', 'worker.leaseMs'];

  it.each([
    ['maxAttemps', 'maxAttempts'],
    ['maxattempts', 'maxAttempts'],
    ['attempts', 'maxAttempts'],
    ['timeout', 'timeoutMs'],
    ['backOff', 'backoff'],
    ['concurency', 'concurrency'],
    ['leaseMs', 'worker.leaseMs'],
    ['retries', undefined],
    ['x', undefined],
    ['', undefined],
  ])('finds for %p the name %p', (given, meant) => {
    expect(likelyName(given, names)).toBe(meant);
  });

  it('prefers the name that is nearest', () => {
    expect(likelyName('leaseMs', ['leasesMs', 'leaseMs', 'leaseM'])).toBe('leaseMs');
  });
});
