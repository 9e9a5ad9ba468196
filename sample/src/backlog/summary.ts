import type { RefreshCounts } from '../customers/customers.service.js';
import { formatCount } from '../format.js';
import type { BacklogService } from './backlog.service.js';

/** Prints what became of the jobs. @returns the problems it found */
export async function printSummary(backlog: BacklogService): Promise<readonly string[]> {
  const rows = (await backlog.groups()).map(({ kind, status, jobs, attempts, retries }) => [
    kind,
    status,
    String(jobs),
    String(attempts),
    String(retries),
  ]);
  console.log(`\n${table(['kind', 'status', 'jobs', 'attempts', 'retries'], rows)}\n`);
  const problems = await backlog.problems();
  for (const problem of problems) console.error(`✗ ${problem}`);
  if (problems.length === 0) {
    const invoices = await backlog.countInvoices();
    console.log(
      `✓ All ${invoices} invoices are rendered, and every mail to an existing address has arrived.\n`,
    );
  }
  return problems;
}

/** Prints what several enqueues have become one job of. */
export function printJoined(reminders: number, { enqueued, joined, run }: RefreshCounts): void {
  const refreshes = `${formatCount(enqueued, 'refresh', 'refreshes')} of customers enqueued, of which`;
  console.log(`${formatCount(reminders, 'reminder', 'reminders')} sent.`);
  console.log(`${refreshes} ${joined} joined one that waited, and ${run} were run.\n`);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const print = (row: readonly string[]) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ');
  return [print(head), print(widths.map((width) => '─'.repeat(width))), ...rows.map(print)].join('\n');
}
