import { describe, expect, it } from '@jest/globals';
import { type } from 'arktype';
import { z } from 'zod';
import type { HandlerRegistry } from '../../../lib/execution/handler-registry.js';
import { defineJob, type Job } from '../../../lib/index.js';
import { PayloadForms } from '../../../lib/dashboard/values/payload-form.js';
import { Redaction } from '../../../lib/dashboard/values/redaction.js';
import type { PayloadSchema } from '../../../lib/job/payload-schema.js';

const HIDDEN = '[redacted]';
const secret = () => z.string().meta({ redact: true });

const formsOf = (schema: PayloadSchema): PayloadForms => {
  const definition = defineJob('kind', { schema: schema as never });
  const get = (kind: string) => (kind === 'kind' ? { definition } : undefined);
  return new PayloadForms({ get, kinds: ['kind'] } as unknown as HandlerRegistry);
};
const seen = (schema: PayloadSchema, payload: unknown) =>
  new Redaction(formsOf(schema), undefined).of({ kind: 'kind', payload } as Job, 'payload').value;

/** A schema that tells of itself only by Standard JSON Schema. */
const standard = (json: object): PayloadSchema =>
  ({
    '~standard': {
      ...{ version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
      jsonSchema: { input: () => json, output: () => json },
    },
  }) as unknown as PayloadSchema;

describe('The marks of a schema', () => {
  it('hide a field wherever it is: optional, in a list, in a record, in a tuple, in one of several forms', () => {
    expect(seen(z.object({ a: secret().optional(), b: z.string() }), { a: 'x', b: 'y' })).toEqual({
      a: HIDDEN,
      b: 'y',
    });
    expect(seen(z.object({ a: secret().nullable().default('x') }), { a: 'x' })).toEqual({ a: HIDDEN });
    expect(seen(z.array(z.object({ a: secret() })), [{ a: 1 }, { a: 2 }])).toEqual([
      { a: HIDDEN },
      { a: HIDDEN },
    ]);
    expect(seen(z.record(z.string(), secret()), { x: 1 })).toEqual({ x: HIDDEN });
    expect(seen(z.tuple([z.string(), secret()]), ['a', 'b'])).toEqual(['a', HIDDEN]);
    const union = z.union([z.object({ a: secret() }), z.object({ b: z.number() })]);
    expect(seen(union, { a: 'x', b: 1 })).toEqual({ a: HIDDEN, b: 1 });
    expect(seen(z.object({ a: z.string() }).and(z.object({ b: secret() })), { a: 'x', b: 'y' })).toEqual({
      ...{ a: 'x', b: HIDDEN },
    });
  });

  it('hide a whole, and all that is in it', () => {
    const card = z.object({ number: z.string() }).meta({ redact: true });
    expect(seen(z.object({ card }), { card: { number: '1' } })).toEqual({ card: HIDDEN });
    expect(seen(card, { number: '1' })).toBe(HIDDEN);
  });

  it('hide what refers to itself', () => {
    const Node: z.ZodType = z.lazy(() => z.object({ pin: secret(), next: Node.optional() }));
    expect(seen(Node, { pin: 1, next: { pin: 2, next: { pin: 3 } } })).toEqual({
      ...{ pin: HIDDEN, next: { pin: HIDDEN, next: { pin: HIDDEN } } },
    });
    const circle = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } };
    expect(seen(standard(circle), { a: 1 })).toEqual({ a: 1 });
  });

  it('are those of JSON Schema as well, by patterns and by conditions', () => {
    const json = {
      properties: { pin: { writeOnly: true }, token: { 'x-redact': true }, 'a/b': { $ref: '#/$defs/x~1y' } },
      patternProperties: { '^secret': { redact: true }, '(': { redact: true } },
      then: { properties: { late: { redact: true } } },
      $defs: { 'x/y': { redact: true } },
    };
    const given = { pin: 1, token: 2, 'a/b': 3, secretWord: 4, late: 5 };
    expect(Object.values(seen(standard(json), given) as object)).toEqual(
      Object.values(given).map(() => HIDDEN),
    );
  });

  it('are read of a schema with dates, which JSON Schema does not know', () => {
    expect(seen(z.object({ at: z.date(), pin: secret() }), { at: 'now', pin: 1 })).toEqual({
      at: 'now',
      pin: HIDDEN,
    });
  });

  it('hide everything where the schema cannot be told, and nothing where it has no such thing', () => {
    const failing = standard({});
    Object.assign(failing, {
      '~standard': {
        ...(failing as { '~standard': object })['~standard'],
        jsonSchema: {
          input: () => {
            throw new Error('no');
          },
        },
      },
    });
    expect(seen(failing, { a: 1 })).toBe(HIDDEN);
    class Dto {}
    expect(seen(Dto, { a: 1 })).toEqual({ a: 1 });
    expect(seen(type({ a: 'number' }) as never, { a: 1 })).toEqual({ a: 1 });
  });

  it('leave a field called __proto__ as it is', () => {
    const payload = JSON.parse('{"__proto__":{"a":1},"pin":2}') as object;
    const value = seen(z.object({ pin: secret() }), payload);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1},"pin":"[redacted]"}');
  });
});
