import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError, JobsError, JobsModule, type JobsModuleOptions } from '../../lib/index.js';
import { resolveOptions } from '../../lib/nest/jobs.options.js';

/** The names that the options have within their objects, wrong values of each, and what the message says is allowed. */
const wrong: Record<string, { values: unknown[]; allowed: string }> = {
  dataSource: { values: ['', 7, {}, null], allowed: 'a text that is not empty' },
  name: { values: ['', 'a b', 'a-b', 'n'.repeat(31), 7, null], allowed: '1 to 30 letters, digits and _' },
  isGlobal: { values: ['yes', 1, null], allowed: 'true or false' },
  tablePrefix: {
    values: ['x;', 'a-b', 'a.b', 'é', 'p'.repeat(41), 7, null],
    allowed: 'at most 40 letters, digits and _',
  },
  schema: { values: ['', 7, null], allowed: 'a text that is not empty' },
  migrate: { values: ['always', true, null], allowed: "'auto' or 'manual'" },
  worker: { values: [true, null, 'yes', 5, []], allowed: 'false or an object' },
  minRetryDelayMs: {
    values: [-1, 0.5, NaN, Infinity, '5', null],
    allowed: 'a whole number from 0 to 3153600000000',
  },
  maxCrashes: { values: [0, 1001, 1.5, '3', null], allowed: 'a whole number from 1 to 1000' },
  databaseTimeoutMs: { values: [999, 86_400_001, '30s'], allowed: 'a whole number from 1000 to 86400000' },
  maxPayloadBytes: { values: [0, 2 ** 30 + 1, '1MB'], allowed: 'a whole number from 1 to 1073741824' },
  retention: { values: [true, '7d', 0, null, []], allowed: 'false or an object' },
  attempts: { values: ['failed', true, null], allowed: "'failures' or 'all' or 'none'" },
  unknownKinds: { values: ['deny', false, null], allowed: "'refuse' or 'allow'" },
  defaults: { values: [null, 'none', [], 3], allowed: 'an object' },
  'defaults.maxAttempts': { values: [0, 1.5, '3'], allowed: 'a whole number from 1' },
  'defaults.timeoutMs': { values: [0, '30s'], allowed: 'a whole number from 1' },
  'defaults.keepResult': { values: ['no', 0], allowed: 'true or false' },
  'defaults.backoff': {
    values: ['fixed', 5, { type: 'linear' }],
    allowed:
      "a function, { type: 'fixed', delayMs } or { type: 'exponential', delayMs?, maxDelayMs?, jitter? }",
  },
  isPanic: { values: [true, 'TypeError', null], allowed: 'a function' },
  globalEnhancers: { values: ['yes', 1, null], allowed: 'true or false' },
  transactions: { values: [true, 'cls', {}], allowed: 'an object with the method current' },
  contextCarrier: {
    values: [true, null, {}, { capture: () => 1 }],
    allowed: 'an object with the methods capture and restore',
  },
  logger: {
    values: [false, null, {}, { log: () => undefined }],
    allowed: 'an object with the methods debug, log, warn and error',
  },
  'worker.concurrency': { values: [0, 10_001, 2.5, '10', null], allowed: 'a whole number from 1 to 10000' },
  'worker.pollIntervalMs': { values: [99, '1s', NaN], allowed: 'a whole number from 100 to 3153600000000' },
  'worker.leaseMs': { values: [999, 86_400_001, '30s'], allowed: 'a whole number from 1000 to 86400000' },
  'worker.heartbeatMs': { values: [99, 15_001, '1s'], allowed: 'a whole number from 100 to 15000' },
  'worker.shutdownTimeoutMs': { values: [-1, 86_400_001], allowed: 'a whole number from 0 to 86400000' },
  'worker.kinds': {
    values: ['mail', [7], {}, null],
    allowed: 'a list of kinds, at least one; for none, set worker: false',
  },
};

const cases = Object.entries(wrong).flatMap(([option, { values, allowed }]) =>
  values.map((value) => [option, value, allowed] as const),
);

function optionsWith(option: string, value: unknown): JobsModuleOptions {
  const [outer, inner] = option.split('.');
  return inner === undefined ? { [outer!]: value } : { [outer!]: { [inner]: value } };
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('The options of JobsModule', () => {
  it.each(cases)('refuse as %s the value %p: it must be %s', (option, value, allowed) => {
    const error = thrownBy(() => JobsModule.forRoot(optionsWith(option, value)));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toBeInstanceOf(JobsError);
    expect(error).toMatchObject({ name: 'InvalidOptionError', option, value, allowed });
    expect((error as Error).message).toContain(`Option "${option}" is `);
    expect((error as Error).message).toContain(`it must be ${allowed}.`);
  });

  it('show in the message the value that was given', () => {
    const messageFor = (option: string, value: unknown) =>
      (thrownBy(() => JobsModule.forRoot(optionsWith(option, value))) as Error).message;
    expect(messageFor('worker.concurrency', '10')).toMatch(/^Option "worker\.concurrency" is "10"; /);
    expect(messageFor('maxCrashes', 0)).toMatch(/^Option "maxCrashes" is 0; /);
    expect(messageFor('minRetryDelayMs', NaN)).toMatch(/^Option "minRetryDelayMs" is NaN; /);
    expect(messageFor('schema', () => 1)).toMatch(/^Option "schema" is a function; /);
    expect(messageFor('worker.kinds', [7])).toMatch(/^Option "worker\.kinds" is \[7\]; /);
  });

  it.each([
    ['tablePrefx', 'tablePrefix'],
    ['MAXCRASHES', 'maxCrashes'],
    ['concurency', 'worker.concurrency'],
    ['pollIntervalMs', 'worker.pollIntervalMs'],
    ['worker.concurency', 'concurrency'],
    ['worker.timeout', undefined],
    ['retries', undefined],
  ])('refuse the unknown name %s, list those that there are, and suggest %s', (option, meant) => {
    const error = thrownBy(() => JobsModule.forRoot(optionsWith(option, 5)));
    expect(error).toMatchObject({ option, value: 5 });
    const names = option.startsWith('worker.')
      ? 'concurrency, pollIntervalMs, leaseMs, heartbeatMs, shutdownTimeoutMs, kinds'
      : 'dataSource, name, isGlobal, tablePrefix, schema, migrate, databaseAtStart, worker, minRetryDelayMs, maxCrashes, ' +
        'databaseTimeoutMs, maxPayloadBytes, retention, attempts, unknownKinds, preparedStatements, defaults, isPanic, contextCarrier, globalEnhancers, guards, ' +
        'interceptors, pipes, filters, transactions, logger';
    const question = meant === undefined ? '' : ` Did you mean "${meant}"?`;
    expect((error as Error).message).toBe(
      `Option "${option}" is 5; it must be left out, as there is no such option.${question} The options are ${names}.`,
    );
  });

  it('refuse whatever is no object', () => {
    for (const options of [null, 'default', 5, []]) {
      const error = thrownBy(() => JobsModule.forRoot(options as never));
      expect(error).toMatchObject({ option: 'options', value: options, allowed: 'an object' });
    }
  });

  it('all have a default', () => {
    expect(resolveOptions()).toMatchObject({
      name: 'default',
      runsWorker: true,
      unknownKinds: 'refuse',
      maxPayloadBytes: 1_048_576,
      queue: {
        tablePrefix: 'nest_',
        schema: undefined,
        migrate: 'auto',
        maxCrashes: 3,
        databaseTimeoutMs: 10_000,
      },
      worker: { concurrency: 10, pollIntervalMs: 1_000, leaseMs: 30_000, heartbeatMs: 10_000 },
    });
    expect(resolveOptions()).toMatchObject({ worker: { shutdownTimeoutMs: 20_000, minRetryDelayMs: 5_000 } });
  });

  it('refuse times for jobs to be kept that are none, and name the whole path', () => {
    const mistyped = { retention: { perKind: { mail: { faild: '1d' } } } } as unknown as JobsModuleOptions;
    const error = thrownBy(() => JobsModule.forRoot(mistyped));
    expect(error).toMatchObject({ name: 'InvalidOptionError', option: 'retention.perKind.mail.faild' });
    expect((error as Error).message).toContain('Did you mean "failed"?');
    const wrong = thrownBy(() => JobsModule.forRoot({ retention: { done: 'a week' } }));
    expect((wrong as Error).message).toMatch(
      /^Option "retention.done" is "a week"; it must be a number of milli/,
    );
  });

  it('take undefined for what is left out', () => {
    const names = Object.keys(wrong).filter((option) => !option.includes('.'));
    const options = Object.fromEntries(names.map((name) => [name, undefined]));
    expect({ ...resolveOptions(options).queue, workerId: '', events: '' }).toEqual({
      ...resolveOptions().queue,
      workerId: '',
      events: '',
    });
  });

  it('tell two workers apart that have the same host name and process id', () => {
    const [one, other] = [resolveOptions().worker.workerId, resolveOptions().worker.workerId];
    expect(one).toContain(`-${process.pid}-`);
    expect(one).not.toBe(other);
  });

  it('derive the heartbeat from the lease, and the table from the name', () => {
    expect(resolveOptions({ worker: { leaseMs: 1_000 } }).worker.heartbeatMs).toBe(333);
    expect(resolveOptions({ name: 'mail' }).queue.tablePrefix).toBe('nest_mail_');
    expect(resolveOptions({ name: 'mail', tablePrefix: '' }).queue.tablePrefix).toBe('');
  });

  it('take kinds as handlers do: trimmed, and each once', () => {
    expect(resolveOptions({ worker: { kinds: [' mail ', 'mail', 'pdf'] } }).worker.kinds).toEqual([
      'mail',
      'pdf',
    ]);
  });

  it('are checked where forRootAsync takes them itself', () => {
    const useFactory = () => ({});
    const given = (options: object) => thrownBy(() => JobsModule.forRootAsync(options));
    expect(given({ useFactory, name: 'a b' })).toMatchObject({ option: 'name', value: 'a b' });
    expect(given({ useFactory, isGlobal: 'yes' })).toMatchObject({ option: 'isGlobal' });
    expect(given({ useFactory, dataSource: '' })).toMatchObject({ option: 'dataSource' });
    expect(given({ useFactory, worker: false })).toMatchObject({ option: 'worker' });
    expect(given({})).toMatchObject({ option: 'useFactory' });
    expect(given({ useFactory, useClass: class {} })).toMatchObject({ option: 'useFactory' });
  });
});
