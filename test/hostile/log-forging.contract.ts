import { describe, expect, it } from '@jest/globals';
import { PermanentError, RetryableError } from '../../lib/job/errors.js';
import { type Store, SHORT } from '../support/store.js';

/** What a terminal or a reader of the log would take for an entry of its own. */
const FORGED = '[Nest] 4242  - ERROR [PaymentService] forged';
const BREAKS = [
  '\n',
  '\r\n',
  '\r',
  '\u001b[2K\u001b[1G',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u000b',
  '\u000c',
  '\u0008',
];
/** Controls, breaks of lines, and marks that change the direction of text. */
const UNSAFE = /(?!\n)[\p{Cc}\u2028\u2029\p{Bidi_Control}]/u;

/** No id, kind, worker or error makes a line of the log. */
export function logForgingContract(store: Store): void {
  describe.each(BREAKS.map((text) => [JSON.stringify(text), text]))('A text with %s', (_name, lineBreak) => {
    const hostile = `a${lineBreak}${FORGED}\u202e`;

    it('stays within its line of the log, as an id, a kind, a worker and an error', async () => {
      await store.reset();
      const kinds = ['done', 'failed', 'panic', 'retry', 'result'].map((kind) => kind + hostile);
      const [done, failed, panic, retry, result] = kinds as [string, string, string, string, string];
      await store.client.enqueueMany(kinds.map((kind) => ({ kind, id: kind })));
      await store.queue.claim([done], 1, { ...SHORT, workerId: hostile });
      const error = () => new Error(hostile, { cause: new AggregateError([new Error(hostile)], hostile) });
      await store.reclaimed(1);
      await store.work(
        {
          [done]: () => 'fine',
          [failed]: () => {
            throw new PermanentError(hostile, { cause: error() });
          },
          [panic]: () => {
            throw hostile;
          },
          [retry]: () => {
            throw Object.assign(new RetryableError(hostile, { retryAfterMs: 3_600_000 }), { name: hostile });
          },
          [result]: () => ({ [hostile]: NaN }),
        },
        { workerId: hostile, leaseMs: 60_000 },
      );
      for (const kind of [done, failed, panic, result]) await store.ended(kind);
      await store.attempted(retry);
      await store.stopWorkers();
      expect(store.logs.filter(({ message }) => message.includes('forged')).length).toBeGreaterThanOrEqual(6);
      for (const { message } of store.logs) expectSafe(message);
    });
  });

  /** The lines of a stack are indented. */
  const expectSafe = (message: string): void => {
    expect(message).not.toMatch(UNSAFE);
    const [, ...others] = message.split('\n');
    for (const line of others) expect(line).toMatch(/^ {4}/);
  };
}
