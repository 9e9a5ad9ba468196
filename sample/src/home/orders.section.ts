import { isUnpaid, type Order } from '../orders/order.entity.js';
import { button } from './button.js';
import { escape } from './escape.js';

export function renderOrders(orders: readonly Order[]): string {
  return `<h2>Latest orders</h2>
<p>Each button changes an order and its jobs in one transaction. “Wrap” makes a gift of it; “Cancel” cancels the jobs
that have not ended. The link “invoice” waits for the job that renders it.</p>
<table><tr><th>order<th>customer<th>look at<th></tr>
${orders.map(renderOrder).join('\n')}
</table>`;
}

function renderOrder(order: Order): string {
  const { id, number, customer } = order;
  const links = [
    `<a href="/orders/${id}">jobs</a>`,
    `<a href="/orders/${id}/invoice">invoice</a>`,
    `<a href="/orders/${id}/invoice.pdf">PDF</a>`,
  ];
  return `<tr><td class="short">${escape(number)}<br><small>${stateOf(order)}</small><td>${escape(customer)}
<td class="short links">${links.join(' ')}<td class="buttons">${buttonsOf(order)}</tr>`;
}

function stateOf({ paidAt, cancelledAt, giftWrapped }: Order): string {
  if (cancelledAt !== null) return 'cancelled';
  return `${paidAt === null ? 'unpaid' : 'paid'}${giftWrapped ? ', gift-wrapped' : ''}`;
}

function buttonsOf(order: Order): string {
  if (order.cancelledAt !== null) return '';
  const path = `/orders/${order.id}`;
  return [
    button(`${path}/gift-wrap`, order.giftWrapped ? 'Unwrap' : 'Wrap'),
    ...(isUnpaid(order) ? [button(`${path}/pay`, 'Pay')] : []),
    button(`${path}/cancel`, 'Cancel'),
  ].join('');
}
