import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { branded, brandOf, sharedByCopies } from '../../../lib/job/copies.js';
import * as definition from '../../../lib/job/definition.js';
import * as errors from '../../../lib/job/errors.js';

const { JobDefinition, defineJob } = definition;
const { InvalidJobError, InvalidPayloadError, JobsError, PermanentError, RetryableError } = errors;

describe('A minified copy of the package', () => {
  class e extends Error {
    constructor(message: string) {
      super(message);
      this.name = brandOf(new.target) ?? new.target.name;
    }
  }
  branded('PaymentError')(e);

  it('names its errors as the package does', () => {
    expect(new e('declined').name).toBe('PaymentError');
    expect(new PermanentError().name).toBe('PermanentError');
  });

  it('leaves the names of classes below them to those', () => {
    class Declined extends e {}
    class Permanent extends PermanentError {}
    expect(new Declined('no').name).toBe('Declined');
    expect(new Permanent().name).toBe('Permanent');
  });
});

describe('A second copy of the package', () => {
  let other: typeof errors;
  let otherDefinition: typeof definition;

  beforeAll(async () => {
    jest.resetModules();
    other = await import('../../../lib/job/errors.js');
    otherDefinition = await import('../../../lib/job/definition.js');
  });

  it('has classes of its own', () => {
    expect(other.RetryableError).not.toBe(RetryableError);
    expect(otherDefinition.JobDefinition).not.toBe(JobDefinition);
  });

  it('throws errors that instanceof recognises, by their class and by those above it', () => {
    const retryable: unknown = new other.RetryableError('later');
    expect(retryable instanceof RetryableError).toBe(true);
    expect(retryable instanceof JobsError).toBe(true);
    expect(retryable instanceof PermanentError).toBe(false);
    const invalid: unknown = new other.InvalidPayloadError('k', []);
    expect(invalid instanceof InvalidPayloadError).toBe(true);
    expect(invalid instanceof InvalidJobError).toBe(true);
    expect(new RetryableError() instanceof other.RetryableError).toBe(true);
  });

  it('has a brand for each class of errors', () => {
    for (const [name, Type] of Object.entries(other).filter(([, value]) => typeof value === 'function')) {
      const value: unknown = Object.create(Type.prototype);
      expect(value instanceof (errors[name as keyof typeof errors] as typeof JobsError)).toBe(true);
    }
  });

  it('makes definitions that instanceof recognises', () => {
    expect(otherDefinition.defineJob('k') instanceof JobDefinition).toBe(true);
    expect(defineJob('k') instanceof otherDefinition.JobDefinition).toBe(true);
  });
});

describe('branded', () => {
  it('leaves instanceof of subclasses alone', () => {
    class Own extends RetryableError {}
    const own: unknown = new Own();
    expect(own instanceof Own).toBe(true);
    expect(own instanceof RetryableError).toBe(true);
    expect(new RetryableError() instanceof Own).toBe(false);
  });

  it('takes no value for an instance that is none, and never throws', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const value of [proxy, undefined, null, 'text', 7, {}, new Error(), () => 1])
      expect(value instanceof JobsError).toBe(false);
  });

  it('adds nothing that can be seen on an instance', () => {
    @branded('Test')
    class Test {
      readonly a = 1;
    }
    expect(Object.getOwnPropertySymbols(new Test())).toEqual([]);
    expect(new Test()).toEqual({ a: 1 });
  });
});

describe('sharedByCopies', () => {
  it('makes a value once', () => {
    const first = sharedByCopies('a test', () => ({}));
    expect(sharedByCopies('a test', () => ({}))).toBe(first);
    expect(sharedByCopies('another test', () => ({}))).not.toBe(first);
  });
});
