import { describe, expect, it } from '@jest/globals';
import { InvalidJobError, InvalidOptionError, KindExistsError } from '../../../lib/job/errors.js';
import { AttemptFactory, HandlerRegistry, type Handler } from '../../../lib/execution/handler-registry.js';
import { claimedJob, POLICY, thrownBy } from '../fakes.js';

const handler = (kind: string, options: object = {}, declaredAt = 'Mail.send in MailModule'): Handler => ({
  kind,
  declaredAt,
  options: options,
  run: () => undefined,
});

describe('HandlerRegistry', () => {
  it('finds a handler by its kind, trimmed and exact in case', () => {
    const registry = new HandlerRegistry();
    const given = handler(' mail ');
    registry.add(given);
    registry.add(handler('Mail'));
    expect(registry.kinds).toEqual(['mail', 'Mail']);
    expect(registry.get('mail')).toEqual({ ...given, kind: 'mail' });
    expect(registry.get('MAIL')).toBeUndefined();
  });

  it('refuses a second handler of a kind, names both places, and keeps the first', () => {
    const registry = new HandlerRegistry();
    registry.add(handler('mail', { maxAttempts: 1 }, 'Mail.send in MailModule'));
    const error = thrownBy(() => registry.add(handler('mail ', {}, 'Post.send in PostModule')));
    expect(error).toBeInstanceOf(KindExistsError);
    expect(error).toMatchObject({
      kind: 'mail',
      handlers: ['Mail.send in MailModule', 'Post.send in PostModule'],
    });
    expect((error as Error).message).toContain('Mail.send in MailModule and Post.send in PostModule');
    expect(registry.get('mail')?.options).toEqual({ maxAttempts: 1 });
  });

  it('refuses a kind that no job can have, and says whose it is', () => {
    for (const kind of ['', ' ', 'x'.repeat(256), 'a\0b', undefined as never]) {
      const error = thrownBy(() => new HandlerRegistry().add(handler(kind)));
      expect(error).toBeInstanceOf(InvalidJobError);
      expect((error as Error).message).toContain('Mail.send in MailModule');
    }
  });

  it.each<[string, unknown]>([
    ['maxAttempts', 0],
    ['maxAttempts', 1.5],
    ['maxAttempts', NaN],
    ['maxAttempts', '3'],
    ['maxAttempts', Infinity],
    ['timeoutMs', 0],
    ['timeoutMs', -1],
    ['transactional', 'yes'],
    ['keepResult', 'no'],
    ['concurrency', 0],
    ['concurrency', null],
    ['backoff', { type: 'linear' }],
  ])('refuses the option %s of %p, and says whose it is', (option, value) => {
    const registry = new HandlerRegistry();
    const error = thrownBy(() => registry.add(handler('mail', { [option]: value })));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ option: `Mail.send in MailModule: ${option}`, value });
    expect(registry.kinds).toEqual([]);
  });

  it('has a handler for a job of a kind that it does not serve, which refuses the job', async () => {
    const registry = new HandlerRegistry();
    registry.add(handler('mail'));
    const job = claimedJob({ kind: 'mail ' });
    expect(registry.handlerOf(claimedJob({ kind: 'mail' })).kind).toBe('mail');
    const outcome = await new AttemptFactory(registry, POLICY).attempt(job).run();
    expect(outcome).toMatchObject({
      type: 'failed',
      lastError: expect.stringContaining('No handler serves the kind "mail "'),
    });
  });

  it('takes every option at its edge', () => {
    const registry = new HandlerRegistry();
    registry.add(handler('mail', { maxAttempts: 1, timeoutMs: 1, concurrency: 1, backoff: () => 1 }));
    registry.add(handler('post', { maxAttempts: undefined, backoff: undefined }));
    expect(registry.kinds).toEqual(['mail', 'post']);
  });
});

describe('AttemptFactory', () => {
  const DEFAULTS = { minRetryDelayMs: 5_000, maxPayloadBytes: 10 };

  it("puts a handler's own options beside the module's", () => {
    const attempts = new AttemptFactory(new HandlerRegistry(), DEFAULTS);
    const options = { maxAttempts: 3, timeoutMs: 7, concurrency: 2, transactional: true };
    expect(attempts.policyOf(handler('mail', options))).toEqual({
      ...DEFAULTS,
      maxAttempts: 3,
      timeoutMs: 7,
      transactional: true,
      backoff: undefined,
    });
    expect(attempts.policyOf(handler('mail'))).toEqual(DEFAULTS);
  });

  it("puts a handler's own options before the defaults of the module", () => {
    const defaults = { ...DEFAULTS, maxAttempts: 5, timeoutMs: 100, keepResult: false, backoff: () => 1 };
    const attempts = new AttemptFactory(new HandlerRegistry(), defaults);
    expect(attempts.policyOf(handler('mail', { maxAttempts: undefined }))).toEqual(defaults);
    const options = { maxAttempts: 1, timeoutMs: 7, keepResult: true, backoff: () => 2 };
    expect(attempts.policyOf(handler('mail', options))).toEqual({ ...DEFAULTS, ...options });
  });

  it('works out the policy of a handler once', () => {
    const attempts = new AttemptFactory(new HandlerRegistry(), DEFAULTS);
    const mail = handler('mail', { maxAttempts: 3 });
    expect(attempts.policyOf(mail)).toBe(attempts.policyOf(mail));
  });

  it('makes an attempt of a job by the handler of its kind, and by its policy', async () => {
    const registry = new HandlerRegistry();
    const fails = () => Promise.reject(new Error('no'));
    registry.add({ ...handler('mail', { maxAttempts: 2 }), run: fails });
    registry.add({ ...handler('report', { transactional: true }), run: ({ id }) => id });
    const attempts = new AttemptFactory(registry, DEFAULTS);
    const [mail, report] = ['mail', 'report'].map((kind) =>
      attempts.attempt(claimedJob({ kind, id: 'one' })),
    );
    expect(await mail!.run()).toMatchObject({ type: 'retry' });
    expect(mail!.isTransactional).toBe(false);
    expect(await report!.call()).toMatchObject({ json: '"one"' });
    expect(report!.isTransactional).toBe(true);
  });
});
