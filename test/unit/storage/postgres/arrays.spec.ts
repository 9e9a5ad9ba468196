import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { numberArray, textArray, unlessAll } from '../../../../lib/storage/postgres/arrays.js';

const parserOf = pg.types.getTypeParser as unknown as (type: number) => (text: string) => unknown;
/** A list as the driver reads one: a `text[]`. */
const read = parserOf(1009);

describe('textArray', () => {
  it.each([
    [[], '{}'],
    [['mail', null, 'pdf'], '{"mail",null,"pdf"}'],
    [['null', 'NULL', ''], '{"null","NULL",""}'],
    [['{"to":"a\\\\b"}'], '{"{\\"to\\":\\"a\\\\\\\\b\\"}"}'],
    [['a\nb', 'c"d'], '{"a\nb","c\\"d"}'],
    [['\u0001', '\u007f\u2028', 'ü€🎉'], '{"\u0001","\u007f\u2028","ü€🎉"}'],
  ])('writes %j as PostgreSQL reads it', (values, text) => {
    expect(textArray(values)).toBe(text);
  });

  it('writes any text as what it is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('"', '\\', '\n', '\t', '\u001f', ' ', 'n', 'u0041', '{', ',', '\ud800'),
      }),
      fc.json(),
    );
    fc.assert(
      fc.property(fc.array(text), (values) => {
        expect(read(textArray(values))).toEqual(values);
      }),
    );
  });
});

describe('numberArray', () => {
  it('writes numbers and NULL', () => expect(numberArray([1, null, -2.5])).toBe('{1,NULL,-2.5}'));
});

describe('unlessAll', () => {
  it('writes nothing where every entry is the usual one', () => {
    expect(unlessAll(0, [0, 0], numberArray)).toBeNull();
    expect(unlessAll(0, [0, 1], numberArray)).toBe('{0,1}');
  });
});
