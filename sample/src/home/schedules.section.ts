import type { Job, Schedule } from 'nestjs-typeorm-jobs';
import { formatInstant } from '../format.js';
import type { ScheduleView } from '../schedules/schedules.service.js';
import { button } from './button.js';
import { escape } from './escape.js';

export function renderSchedules(schedules: readonly ScheduleView[]): string {
  return `<h2>Schedules</h2>
<p>Declared in code with <code>@JobSchedule</code>. Each run is one job, however many processes the shop has. “Run now”
does not move the next run, and a pause survives restarts and deployments. Times are by the shop’s clock.</p>
<table><tr><th>schedule<th>next run<th>last run<th></tr>
${schedules.map(renderSchedule).join('\n')}
</table>`;
}

function renderSchedule({ schedule, lastJob }: ScheduleView): string {
  const { name, paused } = schedule;
  const path = `/schedules/${encodeURIComponent(name)}`;
  const buttons = [
    button(`${path}/run`, 'Run now'),
    paused ? button(`${path}/resume`, 'Resume') : button(`${path}/pause`, 'Pause'),
  ];
  return `<tr><td>${escape(name)}<br><small>${escape(ruleOf(schedule))}</small>
<td>${nextRun(schedule)}<td>${lastJob === null ? 'none yet' : lastRun(lastJob)}<td class="buttons">${buttons.join('')}</tr>`;
}

function ruleOf({ cron, timeZone, everyMs }: Schedule): string {
  return cron === undefined ? `every ${everyMs! / 1000} s` : `${cron} in ${timeZone}`;
}

function nextRun({ paused, nextAt }: Schedule): string {
  if (paused) return 'paused';
  return nextAt === null ? 'none' : formatInstant(nextAt);
}

function lastRun({ tick, createdAt, state }: Job): string {
  return `${formatInstant(tick ?? createdAt)}<br><small>${state}</small>`;
}
