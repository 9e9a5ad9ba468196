import type { CustomerView, RefreshCounts } from '../customers/customers.service.js';
import { formatCount, formatMoney } from '../format.js';
import { escape } from './escape.js';

export interface CustomersView {
  readonly counts: RefreshCounts;
  readonly latest: readonly CustomerView[];
}

export function renderCustomers({ counts, latest }: CustomersView): string {
  const { enqueued, joined, run } = counts;
  return `<h2>Customers</h2>
<p>Each order enqueues a job that refreshes the sums of its customer. It is <code>unique</code> by customer: while one waits,
the next ones join it. ${formatCount(enqueued, 'refresh was', 'refreshes were')} enqueued: ${joined} joined, ${run} run.</p>
<table><tr><th>customer<th class="number">orders<th class="number">total</tr>
${latest.map(renderCustomer).join('\n')}
</table>`;
}

function renderCustomer({ email, orders, totalCents, refreshes, joined }: CustomerView): string {
  const sums = `<td class="number">${orders}<td class="number">${formatMoney(totalCents)}`;
  const how = `${formatCount(refreshes, 'refresh', 'refreshes')}, ${joined} joined`;
  return `<tr><td class="address">${escape(email).replace('@', '@<wbr>')}<br><small>${how}</small>${sums}</tr>`;
}
