import type { JobEvent } from 'nestjs-typeorm-jobs';
import { escape } from './escape.js';

export function renderActivity(events: readonly JobEvent[]): string {
  const table = `<table><tr><th>at<th>what<th>kind<th>why</tr>
${events.map(renderEvent).join('\n')}
</table>`;
  return `<h2>What happened</h2>
<p>Jobs that failed, are tried again, or were cancelled: events of all processes of the shop.</p>
${events.length === 0 ? '<p>Nothing yet.</p>' : table}`;
}

function renderEvent(event: JobEvent): string {
  const kind = 'kind' in event ? event.kind : '';
  return `<tr><td class="short">${event.at.toISOString().slice(11, 19)}<td class="short">${event.type}<td class="short">${escape(kind)}<td>${escape(whyOf(event))}</tr>`;
}

function whyOf(event: JobEvent): string {
  if ('error' in event) return event.error.split('\n')[0]!;
  if ('reason' in event) return event.reason ?? '';
  return 'workerId' in event ? event.workerId : '';
}
