import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeCarriage, encodeCarriage } from '../../../lib/job/carriage.js';

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' };
const TEXT = JSON.stringify(TRACE);

describe('What a job carries', () => {
  it.each([
    [null, undefined, null],
    ['{"tenant":"t1"}', undefined, '{"tenant":"t1"}'],
    ['"t1"', undefined, '"t1"'],
    [null, TRACE, `{"$trace":${TEXT}}`],
    ['{"tenant":"t1"}', TRACE, `{"tenant":"t1","$trace":${TEXT}}`],
    ['{}', TRACE, `{"$carried":{},"$trace":${TEXT}}`],
    ['[1]', TRACE, `{"$carried":[1],"$trace":${TEXT}}`],
    ['{"$trace":1}', TRACE, `{"$carried":{"$trace":1},"$trace":${TEXT}}`],
    ['{"$trace":1}', undefined, '{"$carried":{"$trace":1}}'],
    ['{"$carried":1}', undefined, '{"$carried":{"$carried":1}}'],
  ])('%s with the trace %j is stored as %s', (carried, trace, stored) => {
    expect(encodeCarriage(carried, trace)).toBe(stored);
  });

  it('reads back as it was, with a trace and without', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('$trace', '$carried', '__proto__'));
    const object = fc.array(fc.tuple(key, fc.jsonValue())).map((entries) => {
      const parts = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
      return `{${parts.join(',')}}`;
    });
    const carried = fc.option(
      fc.oneof(
        object,
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
    );
    const trace = fc.constantFrom(undefined, TRACE);
    fc.assert(
      fc.property(carried, trace, (json, context) => {
        const wanted = json === null ? undefined : (JSON.parse(json) as unknown);
        const read = decodeCarriage(encodeCarriage(json, context));
        expect(read).toEqual({ carried: wanted, traceContext: context });
        expect(JSON.stringify(read.carried)).toBe(JSON.stringify(wanted));
      }),
    );
  });

  it.each(['{"$trace":1}', '{"$trace":["x"]}', '{"$trace":{"traceparent":1}}', '{"$trace":null}'])(
    'has no trace where %s stands in the row',
    (stored) => {
      expect(decodeCarriage(stored)).toEqual({ carried: undefined, traceContext: undefined });
    },
  );

  it('is unreadable where the row has no JSON', () => {
    expect(() => decodeCarriage('{"cut')).toThrow('The stored carried is no JSON');
  });
});
