import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { fieldsOf, payloadOf } from '../../../../lib/dashboard/ui/text/schema-form.js';

const SCHEMA = z.toJSONSchema(
  z.object({
    to: z.string().describe('Who gets it.'),
    count: z.number().int().default(1),
    size: z.number().optional(),
    urgent: z.boolean().optional(),
    color: z.enum(['red', 'blue']),
    order: z.object({ id: z.number().int(), note: z.string().optional() }),
    lines: z.array(z.string()).optional(),
    parcel: z.object({ weight: z.number() }).optional(),
  }),
  { io: 'input' },
);

describe('The form of a JSON Schema', () => {
  it('has a field for each value, also of objects within', () => {
    const fields = fieldsOf(SCHEMA)!;
    expect(fields.map(({ label, type, isRequired }) => `${label} ${type} ${isRequired}`)).toEqual([
      'to text true',
      'count integer false',
      'size number false',
      'urgent flag false',
      'color choice true',
      'order.id integer true',
      'order.note text false',
      'lines json false',
      'parcel.weight number false', // it is needed only where there is a parcel
    ]);
    expect(fields[0]).toMatchObject({ description: 'Who gets it.', initial: '' });
    expect(fields[1]).toMatchObject({ initial: '1' });
    expect(fields[4]).toMatchObject({ choices: ['"red"', '"blue"'] });
  });

  it('makes the payload, without what was left empty', () => {
    const values = { to: '', color: '"red"', 'order.id': '4711', urgent: 'true', lines: '["a"]' };
    expect(payloadOf(fieldsOf(SCHEMA)!, values)).toEqual({
      to: '',
      count: 1,
      color: 'red',
      order: { id: 4711 },
      urgent: true,
      lines: ['a'],
    });
  });

  it('says which field is not JSON', () => {
    const values = { lines: 'a, b' };
    expect(() => payloadOf(fieldsOf(SCHEMA)!, values)).toThrow(
      'lines is not JSON. Put text into double quotes.',
    );
  });

  it('sets fields that are named like what objects inherit', () => {
    const schema = JSON.parse(
      '{"properties":{"__proto__":{"type":"object","properties":{"x":{"type":"number"}}}}}',
    ) as unknown;
    const payload = payloadOf(fieldsOf(schema)!, { '__proto__.x': '1' });
    expect(JSON.stringify(payload)).toBe('{"__proto__":{"x":1}}');
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it('is none for what is not an object: that is written as JSON', () => {
    for (const schema of [null, true, 'x', {}, { type: 'string' }, { type: 'array', items: {} }])
      expect(fieldsOf(schema)).toBeNull();
  });
});
