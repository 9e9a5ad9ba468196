import { describe, expect, it } from '@jest/globals';
import { identify } from '../../../lib/dashboard/screens/fingerprint.js';

const stack = (title: string, ...frames: string[]) =>
  [title, ...frames.map((frame) => `    at ${frame}`)].join('\n');

const same = (...errors: string[]) =>
  expect(new Set(errors.map((error) => identify(error).fingerprint)).size).toBe(1);
const different = (...errors: string[]) =>
  expect(new Set(errors.map((error) => identify(error).fingerprint)).size).toBe(errors.length);

describe('The fingerprint of an error', () => {
  it('does not depend on numbers, ids and what stands in quotes', () => {
    same('Error: No order 4711', 'Error: No order 12');
    same('Error: took 1,234.5 ms', 'Error: took 7 ms');
    same('Error: "a b" is taken', 'Error: "c" is taken', `Error: 'it is' is taken`, 'Error: `d` is taken');
    same(
      'Error: no 01a21c3f-6601-7000-857d-40446bb899b8',
      'Error: no 0FB21C3F-6601-7000-857D-40446BB899B8',
      'Error: no 507f1f77bcf86cd799439011',
    );
    same('Error: at 2026-11-27T08:00:00.000Z', 'Error: at 2025-01-02T03:04:05.678Z');
    same('Error: ids 1, 2, 3', 'Error: ids 1, 2');
    same('connect ECONNREFUSED 10.0.0.1:5432', 'connect ECONNREFUSED 10.0.3.77:5433');
  });

  it('depends on the class, on the message and on where it came from', () => {
    different('Error: no order', 'TypeError: no order', 'Error: no customer', 'panic: Error: no order');
    different(
      stack('Error: no', 'Orders.load (/srv/app/orders.js:1:2)'),
      stack('Error: no', 'Mails.load (/srv/app/mails.js:1:2)'),
      stack('Error: no', 'Orders.save (/srv/app/orders.js:1:2)'),
      'Error: no',
    );
    different(`Error: it doesn't exist, and can't`, `Error: it doesn't matter, and can't`);
  });

  it('does not depend on lines, folders of a release, and frames of others', () => {
    same(
      stack('Error: no', 'Orders.load (/srv/releases/17/dist/orders.js:10:20)'),
      stack('Error: no', 'async Orders.load (/srv/releases/18/dist/orders.js:99:1)'),
      stack(
        'Error: no',
        'Orders.load (file:///app/dist/orders.js:1:1)',
        'Other.call (/app/dist/other.js:1:1)',
      ),
      stack(
        'Error: no',
        'Client.query (/app/node_modules/pg/lib/client.js:526:17)',
        'process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
        'new Promise (<anonymous>)',
        'Orders.load (C:\\app\\dist\\orders.js:1:1)',
      ),
    );
  });

  it('shows a title without what differs, and the frame', () => {
    const error = stack('MailError: No mailbox "ada" of 3', 'Mails.send (/srv/dist/mails.js:1:2)');
    expect(identify(error)).toEqual({
      ...{
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        title: 'MailError: No mailbox … of …',
      },
      frame: 'Mails.send (dist/mails.js)',
    });
    expect(identify(stack('Error: x', '/srv/dist/mails.js:1:2')).frame).toBe('dist/mails.js');
    expect(identify(null)).toMatchObject({ title: 'No error was stored', frame: null });
    expect(identify(`Error: ${'x'.repeat(9_000)}`).title).toHaveLength(200);
  });

  it('takes no long time for what is made to take long', () => {
    const begun = performance.now();
    for (const part of [`"`, `'`, '\\"', 'a1', '1.', '…,'].map((text) => text.repeat(4_000))) identify(part);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});
