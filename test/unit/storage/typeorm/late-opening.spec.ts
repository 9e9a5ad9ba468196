import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { QueryRunnerAlreadyReleasedError, TypeORMError, type DataSource } from 'typeorm';
import { unlessAborted } from '../../../../lib/async/timers.js';
import { ApplicationClosedError } from '../../../../lib/job/application-errors.js';
import { DatabaseNotReadyError, SchemaVersionError } from '../../../../lib/job/storage-errors.js';
import { postgresErrors } from '../../../../lib/storage/postgres/errors.js';
import { LateOpening } from '../../../../lib/storage/typeorm/late-opening.js';
import { MemoryLogger } from '../../../support/memory-logger.js';
import { FAKE_TIMERS, never } from '../../fakes.js';

const OUTAGE = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
const FAULT = new SchemaVersionError('nest_jobs', 0, 2, 'There is no table.');

/** A DataSource that is up, and an opening whose tries end in these errors, one after the other, and then in success. */
function failing(...failures: readonly Error[]) {
  const left = [...failures];
  const logger = new MemoryLogger();
  const dataSource = { isInitialized: true } as unknown as DataSource;
  const settings = { name: 'west', answerMs: 1_000, errors: postgresErrors, events: logger.events };
  const tries: number[] = [];
  const opening = new LateOpening(dataSource, settings, () => {
    tries.push(performance.now());
    return left.length === 0 ? Promise.resolve() : Promise.reject(left.shift()!);
  });
  openings.push(opening);
  const levels = () => logger.lines.map((line) => line.split(' ')[0]);
  return { opening, tries, logger, levels };
}

let openings: LateOpening[];

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
  jest.spyOn(Math, 'random').mockReturnValue(0.5); // pauses of their exact length
  openings = [];
});

afterEach(async () => {
  await Promise.all(openings.map((opening) => opening.stop()));
  expect(jest.getTimerCount()).toBe(0);
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('LateOpening', () => {
  it('opens at once what is up, and says nothing', async () => {
    const { opening, levels } = failing();
    await opening.begin();
    await opening.opened;
    expect([opening.isOpen, opening.refusal(), levels()]).toEqual([true, undefined, []]);
  });

  it('goes on in the background, at ever longer intervals, and tells of an outage once', async () => {
    const { opening, tries, levels } = failing(...times(9, OUTAGE));
    await opening.begin();
    const begunAt = tries[0]!;
    await pass(30_000);
    expect(tries.map((at) => at - begunAt)).toEqual([
      0, 200, 600, 1400, 3000, 6200, 11200, 16200, 21200, 26200,
    ]);
    expect(levels()).toEqual(['warn', 'log']);
    expect(opening.isOpen).toBe(true);
  });

  it('refuses everything until then, with the last reason', async () => {
    const { opening } = failing(OUTAGE, OUTAGE);
    await opening.begin();
    expect(opening.refusal()).toBeInstanceOf(DatabaseNotReadyError);
    expect(opening.refusal()).toMatchObject({ module: 'west', cause: OUTAGE });
    await pass(1_000);
    expect(opening.refusal()).toBeUndefined();
  });

  it.each([
    ['a table that does not fit', FAULT],
    ['an account that is refused', Object.assign(new Error('no'), { severity: 'FATAL', code: '28P01' })],
    ['a wrong entity', new TypeORMError('Entity metadata was not found.')],
  ])('does not start with what a person has to mend: %s', async (_what, error) => {
    const { opening, tries, levels } = failing(error);
    await expect(opening.begin()).rejects.toBe(error);
    await pass(60_000);
    expect([tries.length, levels()]).toEqual([1, []]);
  });

  it('tells of that once a minute if it comes to light later, and goes on', async () => {
    const { opening, levels } = failing(OUTAGE, ...times(40, FAULT), OUTAGE);
    await opening.begin();
    await pass(59_000);
    expect(levels()).toEqual(['warn', 'error']);
    await pass(10_000);
    expect(levels()).toEqual(['warn', 'error', 'error']);
    await pass(600_000);
    expect(levels()).toEqual(['warn', 'error', 'error', 'error', 'error', 'warn', 'log']);
  });

  it('does not take a connection that is gone for a fault', async () => {
    const { opening, levels } = failing(new QueryRunnerAlreadyReleasedError());
    await opening.begin();
    await pass(1_000);
    expect(levels()).toEqual(['warn', 'log']);
  });

  it('does not hold up the start for longer than the database may take, and says so', async () => {
    const logger = new MemoryLogger();
    const settings = { answerMs: 1_000, errors: postgresErrors, events: logger.events };
    const dataSource = { isInitialized: true } as unknown as DataSource;
    const opening = new LateOpening(dataSource, settings, (signal) => unlessAborted(never(), signal));
    openings.push(opening);
    const begun = opening.begin();
    await pass(1_000);
    await begun;
    expect(logger.lines).toEqual([expect.stringMatching(/^warn .*not been opened within 1 s, and nothing/)]);
    expect(opening.refusal()).toMatchObject({ module: 'default' });
    expect(opening.refusal()!.cause).toBeUndefined();
  });

  it('ends with a stop, and refuses everything as closed from then on', async () => {
    const { opening, tries, levels } = failing(...times(100, OUTAGE));
    await opening.begin();
    await opening.stop();
    const { length } = tries;
    await pass(60_000);
    expect([tries.length, levels()]).toEqual([length, ['warn']]);
    expect(opening.refusal()).toBeInstanceOf(ApplicationClosedError);
  });

  it('destroys a DataSource that is up only after the stop has given up waiting for it', async () => {
    let finish!: () => void;
    const initializing = new Promise<void>((resolve) => (finish = resolve));
    const dataSource = {
      isInitialized: false,
      options: { type: 'better-sqlite3' },
      initialize: () => initializing.then(() => Object.assign(dataSource, { isInitialized: true })),
      destroy: () => Promise.resolve(Object.assign(dataSource, { isInitialized: false })),
    };
    const settings = { answerMs: 1_000, errors: postgresErrors, events: new MemoryLogger().events };
    const opening = new LateOpening(dataSource as unknown as DataSource, settings, () => Promise.resolve());
    const begun = opening.begin();
    await pass(1_000);
    await begun;
    const stopped = opening.stop();
    await pass(3_000);
    await stopped;
    finish();
    await pass(0);
    expect([dataSource.isInitialized, opening.isOpen]).toEqual([false, false]);
  });
});
