import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { OpenTransaction } from '../../../../lib/storage/sql/dialect.js';
import { SlowClaims } from '../../../../lib/storage/typeorm/slow-claims.js';
import { MemoryLogger } from '../../../support/memory-logger.js';
import { FAKE_TIMERS } from '../../fakes.js';

const OPEN: OpenTransaction = { openMs: 123_456, description: 'process 7, psql, idle in transaction' };

let looks: number[];
let found: OpenTransaction | Error | null;
let logger: MemoryLogger;
let claims: SlowClaims;

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
  looks = [];
  found = OPEN;
  logger = new MemoryLogger();
  claims = new SlowClaims((ms) => {
    looks.push(ms);
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  }, logger.events);
});

afterEach(() => {
  jest.useRealTimers();
});

describe('SlowClaims', () => {
  it('names the transaction that has been open for more than a minute, and what to do', async () => {
    await claims.took(412);
    expect(looks).toEqual([60_000]);
    expect(logger.lines).toEqual([
      expect.stringMatching(
        /^warn Claims have become slow \(412 ms\).*open for 123 s \(process 7, psql, idle in transaction\).*End that/,
      ),
    ]);
  });

  it('does not look while claims are fast', async () => {
    await claims.took(99);
    expect(looks).toEqual([]);
  });

  it('looks once a minute, and warns once in five', async () => {
    found = null;
    await claims.took(200);
    await claims.took(200);
    jest.advanceTimersByTime(60_000);
    found = OPEN;
    await claims.took(200);
    jest.advanceTimersByTime(299_000);
    await claims.took(200);
    expect(looks).toHaveLength(2);
    expect(logger.lines).toHaveLength(1);
    jest.advanceTimersByTime(1_000);
    await claims.took(200);
    expect(logger.lines).toHaveLength(2);
  });

  it('says nothing where the account may not see other transactions', async () => {
    found = new Error('Access denied; you need the PROCESS privilege');
    await claims.took(200);
    expect(logger.lines).toEqual([]);
  });
});
