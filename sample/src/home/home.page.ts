import type { BacklogGroup } from '../backlog/backlog.service.js';
import type { Order } from '../orders/order.entity.js';

const EXAMPLE = {
  customer: 'Ada Lovelace',
  email: 'ada@example.com',
  street: '12 St James’s Square',
  city: 'London',
  country: 'GB',
  lines: [{ sku: 'PEN-014', product: 'Fountain pen, medium nib', quantity: 1, unitPriceCents: 3890 }],
};

export function renderHome(host: string, orders: readonly Order[], groups: readonly BacklogGroup[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quill & Bone — nestjs-typeorm-jobs sample</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
  table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd }
  td.number, th.number { text-align: right }
  pre { background: #f5f3ef; padding: 1rem; white-space: pre-wrap; border-radius: 6px } a { color: #7a2230 }
  button { font: inherit; padding: .4rem 1rem; border: 0; border-radius: 6px; background: #7a2230; color: white; cursor: pointer }
</style>
<h1>Quill & Bone, stationers</h1>
<p>Each order stores its row and a job in one transaction. The job renders the invoice as a PDF and enqueues a second
one that mails it. Some mailboxes ask the sender to come back later, and some do not exist.</p>

<h2>Place an order</h2>
<p><button id="place">Order a fountain pen</button> <span id="placed"></span></p>
<p>Or order from a terminal. An address that begins with <code>no-such-user</code> is refused for good:</p>
<pre>curl -s -X POST http://${escape(host)}/orders -H 'content-type: application/json' \\
  -d '${escape(JSON.stringify(EXAMPLE).replaceAll("'", '’'))}'</pre>

<h2>Jobs</h2>
<table><tr><th>kind<th>status<th class="number">jobs<th class="number">attempts</tr>
${groups.map(({ kind, status, jobs, attempts }) => `<tr><td>${escape(kind)}<td>${status}<td class="number">${jobs}<td class="number">${attempts}</tr>`).join('\n')}
</table>

<h2>Latest orders</h2>
<table><tr><th>number<th>customer<th>order and jobs<th>invoice</tr>
${orders.map(renderOrder).join('\n')}
</table>
<script>
  document.getElementById('place').onclick = async () => {
    const response = await fetch('/orders', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(EXAMPLE))},
    });
    const { order, number } = await response.json();
    document.getElementById('placed').innerHTML = '<a href="' + order + '">' + number + '</a> is placed.';
  };
</script>
</html>`;
}

function renderOrder({ id, number, customer }: Order): string {
  return `<tr><td>${escape(number)}<td>${escape(customer)}<td><a href="/orders/${id}">show</a><td><a href="/orders/${id}/invoice.pdf">PDF</a></tr>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)!};`);
}
