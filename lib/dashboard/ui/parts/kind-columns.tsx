import type { KindRow } from '../../api/screens.js';
import { kindStateOf } from '../text/kind-state.js';
import { capped, count, rate } from '../text/numbers.js';
import { ago, duration } from '../text/times.js';
import type { Column } from './data-table.js';
import { jobsSearch, Link } from './link.js';
import { Percentiles } from './percentiles.js';
import { Sparkline } from './sparkline.js';
import { Badge } from './state-badge.js';
import { Line, NameText } from './text.js';

/** The columns of a list of kinds. @param now of the server's answer */
export function kindColumns(now: number): readonly Column<KindRow>[] {
  return [
    { label: 'Kind', class: 'kind-cell', cell: (kind) => <KindName kind={kind} now={now} /> },
    { label: 'Ready', isNumber: true, cell: (kind) => <Ready kind={kind} /> },
    {
      label: 'Running',
      isNumber: true,
      cell: ({ kind, running }) => <CountLink kind={kind} state="running" value={running} />,
    },
    { label: 'Scheduled', isNumber: true, class: 'wide-only', cell: ({ scheduled }) => capped(scheduled) },
    {
      label: 'Failed, 24 h',
      isNumber: true,
      cell: ({ kind, failedInDay }) => <Failed kind={kind} value={failedInDay} />,
    },
    { label: 'Per minute', isNumber: true, cell: ({ perMinute }) => rate(perMinute.claimed) },
    { label: 'Wait p50 / p95', isNumber: true, cell: ({ waitMs }) => <Percentiles value={waitMs} /> },
    { label: 'Run p50 / p95', isNumber: true, cell: ({ runMs }) => <Percentiles value={runMs} /> },
    { label: 'Last hour', class: 'spark-cell', cell: ({ spark }) => <Sparkline values={spark} /> },
  ];
}

function KindName({ kind, now }: { readonly kind: KindRow; readonly now: number }) {
  const { tone, text } = kindStateOf(kind);
  const { paused } = kind;
  return (
    <>
      <Link search={jobsSearch({ kind: kind.kind })} class="job-link">
        <NameText text={kind.kind} />
      </Link>
      <span class="job-under">
        <Badge tone={tone} text={text} />
        {paused?.reason != null && <Line text={paused.reason} class="muted" />}
        {paused?.until != null && <span class="muted">Ends {ago(paused.until, now)}</span>}
      </span>
    </>
  );
}

function Ready({ kind: { kind, ready, oldestReadyMs } }: { readonly kind: KindRow }) {
  return (
    <>
      {ready.value === 0 ? (
        <span class="muted">0</span>
      ) : (
        <Link search={jobsSearch({ kind, state: 'ready' })}>{capped(ready)}</Link>
      )}
      {oldestReadyMs !== null && (
        <span class="cell-under" title="How long the oldest has been ready">
          {duration(oldestReadyMs)}
        </span>
      )}
    </>
  );
}

interface CountLinkProps {
  readonly kind: string;
  readonly state: string;
  readonly value: number;
}

function CountLink({ kind, state, value }: CountLinkProps) {
  if (value === 0) return <span class="muted">0</span>;
  return <Link search={jobsSearch({ kind, state })}>{count(value)}</Link>;
}

function Failed({ kind, value }: { readonly kind: string; readonly value: number }) {
  if (value === 0) return <span class="muted">0</span>;
  return (
    <Link search={jobsSearch({ kind, state: ['failed', 'panic'] })} class="error-text">
      {count(value)}
    </Link>
  );
}
