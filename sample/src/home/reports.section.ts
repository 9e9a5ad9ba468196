import { formatCount, formatInstant, formatMoney } from '../format.js';
import type { Report, ReportLine } from '../reports/report.entity.js';
import { escape } from './escape.js';

export function renderReports(reports: readonly Report[]): string {
  const table = `<table><tr><th>made for<th class="number">invoices<th class="number">total<th>by country</tr>
${reports.map(renderReport).join('\n')}
</table>`;
  return `<h2>Nightly reports</h2>
<p>Each has the invoices that were rendered since the one before.</p>
${reports.length === 0 ? '<p>There is none yet.</p>' : table}`;
}

function renderReport({ madeFor, invoices, totalCents, lines }: Report): string {
  return `<tr><td>${formatInstant(madeFor)}<td class="number">${invoices}<td class="number">${formatMoney(totalCents)}
<td>${lines.length === 0 ? '–' : renderLines(lines)}</tr>`;
}

function renderLines(lines: readonly ReportLine[]): string {
  const rows = lines.map(
    ({ country, invoices, totalCents }) =>
      `<tr><td>${escape(country)}<td class="number">${invoices}<td class="number">${formatMoney(totalCents)}</tr>`,
  );
  return `<details><summary>${formatCount(lines.length, 'country', 'countries')}</summary><table>${rows.join('')}</table></details>`;
}
