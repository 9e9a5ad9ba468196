import { formatCount, formatInstant, formatMoney } from '../format.js';
import type { Report } from './report.entity.js';

const LINES = 3;

/** Prints a report in a few lines. */
export function printReport({ madeFor, invoices, totalCents, lines }: Report): void {
  const most = lines.slice(0, LINES).map((line) => `${line.country} ${formatMoney(line.totalCents)}`);
  const parts = most.length === 0 ? '' : `; most in ${most.join(', ')}`;
  const sum = `${formatCount(invoices, 'invoice', 'invoices')}, ${formatMoney(totalCents)} in total`;
  console.log(`Report of ${formatInstant(madeFor)}: ${sum}${parts}.`);
}
