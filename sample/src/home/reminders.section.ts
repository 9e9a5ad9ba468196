import { formatCount, formatInstant } from '../format.js';
import type { Reminder } from '../reminders/reminder.entity.js';
import type { WaitingReminder } from '../reminders/reminders.service.js';
import { escape } from './escape.js';

export interface RemindersView {
  readonly waiting: readonly WaitingReminder[];
  readonly sent: readonly Reminder[];
}

export function renderReminders({ waiting, sent }: RemindersView): string {
  const table = `<table><tr><th>order<th>changed<th>reminder</tr>
${[...waiting.map(renderWaiting), ...sent.map(renderSent)].join('\n')}
</table>`;
  return `<h2>Reminders</h2>
<p>An order that is not paid is reminded of when it has not changed for a while: a job with <code>debounce</code>. Wrap and
unwrap one a few times, and one reminder is sent.</p>
${waiting.length + sent.length === 0 ? '<p>There is none yet.</p>' : table}`;
}

function renderWaiting({ order, runAt }: WaitingReminder): string {
  const seconds = Math.max(0, Math.ceil((runAt.getTime() - Date.now()) / 1000));
  return renderRow(order.number, order.changes, seconds === 0 ? 'is due' : `in ${seconds} s`);
}

function renderSent({ orderNumber, changes, sentAt }: Reminder): string {
  return renderRow(orderNumber, changes, `sent ${formatInstant(sentAt)}`);
}

function renderRow(number: string, changes: number, when: string): string {
  const what = changes === 0 ? 'never' : formatCount(changes, 'time', 'times');
  return `<tr><td class="short">${escape(number)}<td>${what}<td>${when}</tr>`;
}
