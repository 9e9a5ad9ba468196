import fc from 'fast-check';
import type { JobSettings } from '../../lib/job/job.js';

/** What has broken SQL, JSON, logs and prototypes before. */
export const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '0',
  '00',
  'null',
  'NaN',
  '__proto__',
  'constructor',
  'toString',
  `'`,
  `''; DROP TABLE nest_jobs; -- `,
  `"`,
  '`',
  '\\',
  `\\'`,
  '\\u0000',
  '\\x00',
  '? ?? $1 :name %s %_',
  '{"a":[1,"null"]}',
  '{"cut',
  '[]',
  '{}',
  '{NULL,"a"}',
  'a\nb\r\nc\td',
  '\u0001\u0008\u001b[2K\u007f\u0085',
  '\u2028\u2029\u202e\ufeff',
  'e\u0301 \u00e9 \u00df \u0130 \uff41',
  '\u{1F468}\u200D\u{1F469} \u{10FFFF} \uffff',
  '縧日本語',
  'x'.repeat(300),
];

/** Any text of UTF-16 units, halves of surrogate pairs included. */
const utf16 = fc.array(fc.nat(0xffff), { maxLength: 12 }).map((units) => String.fromCharCode(...units));

export const text = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme-composite', maxLength: 10 }),
  utf16,
);

const number = fc.oneof(
  fc.constantFrom(0, -0, 5e-324, 1.7976931348623157e308, -1e300, 2 ** 53, -(2 ** 63), 0.1, 1e21),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);

const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(fc.constantFrom(null, true, false), number, text),
    fc.array(tie('value'), { maxLength: 4 }),
    // `fromEntries` makes properties of its own, `__proto__` included.
    fc.array(fc.tuple(text, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

const nested = fc
  .tuple(fc.integer({ min: 10, max: 1200 }), fc.boolean())
  .map(([depth, isList]) => nest(depth, isList));

/** Whatever may be a payload or a result. */
export const documents = fc.oneof(
  { weight: 12, arbitrary: json },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 64 }) },
  { weight: 1, arbitrary: nested },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

/** Ids and kinds that are allowed. */
export const names = text.filter(
  (name) => name.trim() === name && name !== '' && Array.from(name).length <= 255 && isStorable(name),
);

const HOUR = 3_600_000;
const MAX_INT = 2 ** 31 - 1;
const int32 = (min: number) => fc.oneof(fc.constantFrom(min, MAX_INT), fc.integer({ min, max: MAX_INT }));
/** Times that come hours before or after the test, so that no delay of a busy machine decides. */
const times = fc.oneof(
  fc.constantFrom('0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'),
  fc.date({
    min: new Date('0001-01-01T00:00:00.000Z'),
    max: new Date(Date.now() - HOUR),
    noInvalidDate: true,
  }),
  fc.date({
    min: new Date(Date.now() + 24 * HOUR),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  }),
);
const starts: fc.Arbitrary<Pick<JobSettings, 'runAt' | 'delayMs'>> = fc.oneof(
  fc.constant({}),
  times.map((runAt) => ({ runAt: new Date(runAt) })),
  fc.constantFrom(0, 24 * HOUR, 24 * HOUR + 0.5, 100 * 365 * 24 * HOUR).map((delayMs) => ({ delayMs })),
);

/** What a caller may say of a job besides id, kind and payload. */
export const settings: fc.Arbitrary<JobSettings> = fc
  .tuple(starts, fc.record({ priority: int32(-MAX_INT - 1), maxAttempts: int32(1) }, { requiredKeys: [] }))
  .map(([start, others]) => ({ ...start, ...others }));

export function nest(depth: number, isList: boolean): unknown {
  let value: unknown = 'the innermost';
  for (let level = 0; level < depth; level++) value = isList ? [value] : { in: value };
  return value;
}

/** Whether every database takes the text. */
export function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0');
}
