import { setTimeout as sleep } from 'node:timers/promises';
import { RefreshCustomer } from '../customers/customer.jobs.js';
import { MailInvoice, RenderInvoice } from '../invoices/invoice.jobs.js';
import { RemindCustomer } from '../reminders/reminder.jobs.js';
import type { BacklogGroup, BacklogService } from './backlog.service.js';

const LOOK_EVERY_MS = 250;
const LINE_EVERY_MS = 2_000;
const BAR_WIDTH = 40;
/** Of these kinds, each order has one job. */
const OF_ORDERS: readonly string[] = [RenderInvoice.kind, MailInvoice.kind];
/** These are waited for as well. Jobs of other kinds are not. */
const BESIDE: readonly string[] = [RemindCustomer.kind, RefreshCustomer.kind];

/**
 * Shows the progress of invoices and mails until the jobs of all orders have ended or the signal aborts: a bar on a terminal,
 * otherwise a line every two seconds.
 */
export async function watchBacklog(backlog: BacklogService, signal: AbortSignal): Promise<void> {
  const show = process.stdout.isTTY ? new Bar() : new Lines();
  const orders = await backlog.countOrders();
  while (!signal.aborted) {
    const groups = await backlog.groups();
    const [ofOrders, beside] = [OF_ORDERS, BESIDE].map((kinds) =>
      groups.filter(({ kind }) => kinds.includes(kind)),
    );
    show.update(ofOrders!, orders * 2);
    if (countOf([...ofOrders!, ...beside!], ({ status }) => status === 'PENDING') === 0) break;
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  show.end();
}

/** `expected` counts two jobs for each order. The first job enqueues the second, so they do not all exist yet. */
function describe(groups: readonly BacklogGroup[], expected: number): { done: number; text: string } {
  const done = countOf(groups, ({ status }) => status !== 'PENDING');
  const retrying = groups.reduce((sum, group) => sum + group.retrying, 0);
  return { done, text: `${done} of ${expected} jobs ended, ${retrying} waiting for a retry` };
}

function countOf(groups: readonly BacklogGroup[], matches: (group: BacklogGroup) => boolean): number {
  return groups.filter(matches).reduce((sum, { jobs }) => sum + jobs, 0);
}

class Bar {
  update(groups: readonly BacklogGroup[], expected: number): void {
    const { done, text } = describe(groups, expected);
    const filled = expected === 0 ? BAR_WIDTH : Math.round((done / expected) * BAR_WIDTH);
    process.stdout.write(`\r\x1b[2K[${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}] ${text}`);
  }

  end(): void {
    process.stdout.write('\n');
  }
}

class Lines {
  private last = -Infinity;
  private text = '';
  private shown = '';

  update(groups: readonly BacklogGroup[], expected: number): void {
    this.text = describe(groups, expected).text;
    if (performance.now() - this.last < LINE_EVERY_MS) return;
    this.print();
  }

  end(): void {
    if (this.text !== this.shown) this.print();
  }

  private print(): void {
    console.log(this.text);
    this.shown = this.text;
    this.last = performance.now();
  }
}
