import type { Job, JobLogLine } from 'nestjs-typeorm-jobs';
import { formatCount } from '../format.js';
import type { ProductsView } from '../products/products.service.js';
import { button } from './button.js';
import { escape } from './escape.js';

export function renderProducts({ products, latest, log }: ProductsView): string {
  return `<h2>Price list</h2>
<p>The shop has ${formatCount(products, 'product', 'products')}. An import tells how far it is, and logs with its job.
${button('/products/import', 'Import the price list')}</p>
${latest === undefined ? '' : renderImport(latest, log)}`;
}

function renderImport(job: Job, log: readonly JobLogLine[]): string {
  const share = typeof job.progress === 'number' ? job.progress : 0;
  const percent = `${Math.round(share * 100)}&nbsp;%`;
  return `<p><progress max="1" value="${share}"></progress> ${percent}, ${job.state}</p>
<pre>${log.map(renderLine).join('\n')}</pre>`;
}

function renderLine({ at, text, fields }: JobLogLine): string {
  const entry =
    text ??
    Object.entries(fields ?? {})
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ');
  return `${at.toISOString().slice(11, 19)} ${escape(entry)}`;
}
