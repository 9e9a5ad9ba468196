import type { WorkerRow, Workers as WorkersAnswer } from '../../api/screens.js';
import { usePolled } from '../page/polled.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Empty } from '../parts/empty.js';
import { Screen } from '../parts/screen.js';
import { Badge } from '../parts/state-badge.js';
import { TagList } from '../parts/tag-list.js';
import { NameText, Text } from '../parts/text.js';
import { Ago } from '../parts/time.js';
import { bytes, count } from '../text/numbers.js';
import { duration } from '../text/times.js';

/** An event loop that is late by so much keeps leases from being renewed. */
const LATE_MS = 1_000;

/** The workers that are alive: where they run, what they do, and how well. */
export function Workers() {
  const polled = usePolled<WorkersAnswer>('api/workers');
  return (
    <Screen title="Workers" polled={polled}>
      {({ workers, now }) =>
        workers.length === 0 ? (
          <Empty title="No worker is alive">
            <p>
              Start an application that imports <code>JobsModule</code> and has a <code>@JobHandler</code>.
              Jobs wait until then.
            </p>
          </Empty>
        ) : (
          <DataTable
            caption="Workers"
            class="workers"
            columns={columns(now)}
            rows={workers}
            keyOf={({ name }) => name}
          />
        )
      }
    </Screen>
  );
}

function columns(now: number): readonly Column<WorkerRow>[] {
  return [
    { label: 'Worker', class: 'kind-cell', cell: (worker) => <Name worker={worker} /> },
    { label: 'Kinds', class: 'rule-cell', cell: (worker) => <KindList worker={worker} /> },
    { label: 'Running', isNumber: true, cell: (worker) => <Slots worker={worker} /> },
    { label: 'Seen', cell: ({ seenAt }) => <Ago at={seenAt} now={now} /> },
    { label: 'Started', cell: ({ startedAt }) => <Ago at={startedAt} now={now} /> },
    { label: 'Event loop', isNumber: true, cell: ({ eventLoopDelayMs }) => <Delay ms={eventLoopDelayMs} /> },
    { label: 'Memory', isNumber: true, cell: ({ rssBytes }) => bytes(rssBytes) },
    { label: 'Release', cell: (worker) => <Release worker={worker} /> },
  ];
}

function Name({ worker: { name, host, pid, stopping } }: { readonly worker: WorkerRow }) {
  return (
    <>
      <NameText text={name} />
      <span class="job-under muted">
        <span>
          <Text text={host} />, process {pid}
        </span>
        {stopping && <Badge tone="warning" text="stopping" />}
      </span>
    </>
  );
}

/** The kinds that it serves, those whose jobs it runs first, and how many of each. */
function KindList({ worker: { kinds, runningKinds } }: { readonly worker: WorkerRow }) {
  const runningOf = (kind: string) => runningKinds[kind] ?? 0;
  const names = kinds.toSorted((one, other) => runningOf(other) - runningOf(one));
  return (
    <TagList names={names} most={8} noun="kind">
      {(kind) => (
        <span key={kind} class="tag">
          <Text text={kind} /> {runningOf(kind) > 0 && <strong>{count(runningOf(kind))}</strong>}
        </span>
      )}
    </TagList>
  );
}

function Slots({ worker: { running, concurrency } }: { readonly worker: WorkerRow }) {
  return (
    <>
      {count(running)} <span class="muted">of {count(concurrency)}</span>
      <meter min={0} max={Math.max(1, concurrency)} value={running} aria-label="Slots in use" />
    </>
  );
}

function Delay({ ms }: { readonly ms: number }) {
  return ms >= LATE_MS ? (
    <Badge tone="error" text={`late by ${duration(ms)}`} />
  ) : (
    <span>{duration(ms)}</span>
  );
}

function Release({ worker: { release, tzData } }: { readonly worker: WorkerRow }) {
  return (
    <>
      <Text text={release} />
      {tzData !== null && <span class="cell-under">zones {tzData}</span>}
    </>
  );
}
