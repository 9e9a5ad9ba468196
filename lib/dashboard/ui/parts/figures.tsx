import type { ComponentChildren } from 'preact';
import type { Outcome, Overview, RatePoint } from '../../api/screens.js';
import { capped, count, plural, rate } from '../text/numbers.js';
import { duration } from '../text/times.js';
import { jobsSearch, Link } from './link.js';

/** The few numbers that tell how things are. */
export function Figures({ overview }: { readonly overview: Overview }) {
  const { backlog, workers, minutes } = overview;
  const failed = sumOf(minutes, 'failed') + sumOf(minutes, 'panicked');
  return (
    <dl class="figures">
      <Figure label="Ready" search={jobsSearch({ state: 'ready' })} note={oldestText(backlog.oldestReadyMs)}>
        {capped(backlog.ready)}
      </Figure>
      <Figure
        label="Running"
        search={jobsSearch({ state: 'running' })}
        note={`of ${plural(workers.concurrency, 'slot')}`}
      >
        {count(workers.running)}
      </Figure>
      <Figure label="Scheduled" search={jobsSearch({ state: 'scheduled' })} note="for later">
        {capped(backlog.scheduled)}
      </Figure>
      <Figure label="Done" search={jobsSearch({ state: 'done' })} note={`in the last hour, ${pace(minutes)}`}>
        {count(sumOf(minutes, 'done'))}
      </Figure>
      <Figure label="Failed" search="view=errors" note="in the last hour" isBad={failed > 0}>
        {count(failed)}
      </Figure>
      <Figure
        label="Workers"
        search="view=workers"
        note={workersText(overview)}
        isBad={workers.live === 0 && overview.kinds.length > 0}
      >
        {count(workers.live)}
      </Figure>
    </dl>
  );
}

interface FigureProps {
  readonly label: string;
  readonly search: string;
  readonly note: string;
  readonly isBad?: boolean;
  readonly children: ComponentChildren;
}

function Figure({ label, search, note, isBad = false, children }: FigureProps) {
  return (
    <div class={isBad ? 'figure is-bad' : 'figure'}>
      <dt>
        <Link search={search}>{label}</Link>
      </dt>
      <dd class="figure-value">{children}</dd>
      <dd class="figure-note">{note}</dd>
    </div>
  );
}

function workersText({ workers: { live, stopping } }: Overview): string {
  if (live === 0) return 'none is alive';
  return stopping > 0 ? `${count(stopping)} stopping` : 'alive';
}

/** Of the last five minutes: `39/min`. */
function pace(minutes: readonly RatePoint[]): string {
  const last = minutes.slice(-5);
  return `${rate(sumOf(last, 'done') / Math.max(1, last.length))}/min`;
}

function oldestText(ms: number | null): string {
  return ms === null ? 'nothing waits' : `the oldest for ${duration(ms)}`;
}

function sumOf(points: readonly RatePoint[], outcome: Outcome): number {
  return points.reduce((sum, { counts }) => sum + counts[outcome], 0);
}
