import type { BacklogGroup } from '../backlog/backlog.service.js';
import type { JobEvent } from 'nestjs-typeorm-jobs';
import type { Order } from '../orders/order.entity.js';
import type { ProductsView } from '../products/products.service.js';
import type { Report } from '../reports/report.entity.js';
import type { ScheduleView } from '../schedules/schedules.service.js';
import { renderActivity } from './activity.section.js';
import { renderCustomers, type CustomersView } from './customers.section.js';
import { escape } from './escape.js';
import { renderOrders } from './orders.section.js';
import { renderProducts } from './products.section.js';
import { renderReminders, type RemindersView } from './reminders.section.js';
import { renderReports } from './reports.section.js';
import { renderSchedules } from './schedules.section.js';

const EXAMPLE = {
  customer: 'Ada Lovelace',
  email: 'ada@example.com',
  street: '12 St James’s Square',
  city: 'London',
  country: 'GB',
  lines: [{ sku: 'PEN-014', product: 'Fountain pen, medium nib', quantity: 1, unitPriceCents: 3890 }],
};

/** What the page shows. */
export interface HomeView {
  readonly host: string;
  readonly orders: readonly Order[];
  readonly groups: readonly BacklogGroup[];
  readonly schedules: readonly ScheduleView[];
  readonly reports: readonly Report[];
  readonly reminders: RemindersView;
  readonly customers: CustomersView;
  readonly products: ProductsView;
  readonly events: readonly JobEvent[];
}

/** How soon to show the page again where a job has not ended. */
const REFRESH_S = 2;

export function renderHome(view: HomeView): string {
  const { host, orders, groups, schedules, reports, reminders, customers, products, events } = view;
  const isWaiting = groups.some(({ status }) => status === 'PENDING');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${isWaiting ? `<meta http-equiv="refresh" content="${REFRESH_S}">\n` : ''}<title>Quill & Bone — nestjs-typeorm-jobs sample</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
  table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd }
  td.number, th.number { text-align: right }
  pre { background: #f5f3ef; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; border-radius: 6px } a { color: #7a2230 }
  td { vertical-align: top } td.number { white-space: nowrap } td.buttons { text-align: right; white-space: nowrap }
  td.number, th.number { padding-right: 1.6rem } td.buttons { padding-right: 0 }
  form { display: inline; margin-left: .5rem }
  td.short { white-space: nowrap } td.short small { white-space: normal } td.links a { margin-right: .5rem } td.address { overflow-wrap: anywhere }
  progress { vertical-align: middle; accent-color: #7a2230 }
  small { color: #666 } summary { cursor: pointer } td table { width: auto } td td { border: 0 }
  button { font: inherit; padding: .4rem 1rem; border: 0; border-radius: 6px; background: #7a2230; color: white; cursor: pointer; white-space: nowrap }
  form button { padding: .15rem .7rem; font-size: .9rem; background: none; color: #7a2230; box-shadow: inset 0 0 0 1px #7a2230 }
  @media (max-width: 40rem) {
    body { font-size: 14px } td.number, th.number { padding-right: .8rem } td.number, td.buttons, td.links { white-space: normal } td.links a { display: block }
    form { display: block; margin: 0 0 .4rem }
  }
</style>
<h1>Quill & Bone, stationers</h1>
<p>Each order is stored with its jobs in one transaction. One of them renders the invoice as a PDF, and enqueues another
one that mails it. Some mailboxes ask the sender to come back later, and some do not exist.</p>
<p><a href="/admin/jobs">All jobs in the dashboard</a> for the staff; <code>npm start</code> prints the login.</p>

<h2>Place an order</h2>
<p><button id="place">Order a fountain pen</button> <span id="placed"></span></p>
<p>Or order from a terminal. An address that begins with <code>no-such-user</code> is refused for good:</p>
<pre>curl -s -X POST http://${escape(host)}/orders -H 'content-type: application/json' \\
  -d '${escape(JSON.stringify(EXAMPLE).replaceAll("'", '’'))}'</pre>

<h2>Jobs</h2>
<table><tr><th>kind<th>status<th class="number">jobs<th class="number">attempts</tr>
${groups.map(({ kind, status, jobs, attempts }) => `<tr><td>${escape(kind)}<td>${status}<td class="number">${jobs}<td class="number">${attempts}</tr>`).join('\n')}
</table>

${renderOrders(orders)}

${renderReminders(reminders)}

${renderCustomers(customers)}

${renderSchedules(schedules)}

${renderReports(reports)}

${renderProducts(products)}

${renderActivity(events)}

<script>
  document.getElementById('place').onclick = async () => {
    const response = await fetch('/orders', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(EXAMPLE))},
    });
    if (response.ok) location.reload();
    else document.getElementById('placed').textContent = 'The order was not placed.';
  };
</script>
</html>`;
}
