import { describe, expect, it } from '@jest/globals';
import {
  conditionsOf,
  filterOf,
  pageOf,
  parseSearch,
  withCondition,
  withoutCondition,
  withValues,
} from '../../../../lib/dashboard/ui/text/job-query.js';

const query = (text: string) => new URLSearchParams(text);
const ID = '019AC5B2-4019-7119-9a3f-000f736ae249';

describe('A search for jobs', () => {
  it('takes conditions by their names, and quotes around blanks', () => {
    expect(parseSearch('kind:mail tag:"Order 4711" payload:order.id=4711', [])).toEqual([
      { name: 'kind', value: 'mail' },
      { name: 'tag', value: 'Order 4711' },
      { name: 'payload', value: 'order.id=4711' },
    ]);
  });

  it('takes an id, the name of a kind, or a text of the error', () => {
    expect(parseSearch(` ${ID} `, [])).toEqual([{ name: 'id', value: ID.toLowerCase() }]);
    expect(parseSearch('send mail', ['send mail'])).toEqual([{ name: 'kind', value: 'send mail' }]);
    expect(parseSearch('connect ECONNREFUSED 10.0.0.1:5432', [])).toEqual([
      { name: 'error', value: 'connect ECONNREFUSED 10.0.0.1:5432' },
    ]);
    expect(parseSearch('"kind:mail"', [])).toEqual([{ name: 'error', value: 'kind:mail' }]);
    expect(parseSearch('   ', [])).toEqual([]);
  });

  it('leaves a name that is none in the text', () => {
    expect(parseSearch('TypeError: http://x', [])).toEqual([{ name: 'error', value: 'TypeError: http://x' }]);
  });
});

describe('The query of a list of jobs', () => {
  it('gains and loses conditions, from the first page on', () => {
    const start = query('view=jobs&state=failed&kind=a&after=x');
    expect(withCondition(start, { name: 'kind', value: 'b' })).toBe('view=jobs&state=failed&kind=a&kind=b');
    expect(withCondition(start, { name: 'kind', value: 'a' })).toBe('view=jobs&state=failed&kind=a');
    expect(withCondition(query('error=old'), { name: 'error', value: 'new' })).toBe('error=new');
    expect(withoutCondition(query('kind=a&kind=b&after=x'), { name: 'kind', value: 'a' })).toBe('kind=b');
    expect(withValues(start, { state: null, order: 'oldest' })).toBe('view=jobs&kind=a&order=oldest');
  });

  it('is a filter without its view, its order and its page', () => {
    const all = query(
      'view=jobs&state=failed&state=panic&kind=a&createdAfter=5&order=oldest&after=x&other=1',
    );
    expect(filterOf(all)).toBe('state=failed&state=panic&kind=a&createdAfter=5');
    expect(pageOf(all, 50)).toBe(
      'state=failed&state=panic&kind=a&createdAfter=5&order=oldest&after=x&limit=50',
    );
    expect(conditionsOf(all)).toEqual([
      { name: 'kind', value: 'a' },
      { name: 'createdAfter', value: '5' },
    ]);
  });
});
