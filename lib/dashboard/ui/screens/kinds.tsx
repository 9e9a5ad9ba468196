import { useState } from 'preact/hooks';
import type { KindRow, Kinds as KindsAnswer } from '../../api/screens.js';
import { usePolled } from '../page/polled.js';
import { act, messageOf } from '../page/server.js';
import { mayAct } from '../page/session.js';
import { showToast } from '../page/toasts.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Empty } from '../parts/empty.js';
import { kindColumns } from '../parts/kind-columns.js';
import { PauseKindDialog } from '../parts/pause-kind-dialog.js';
import { Screen } from '../parts/screen.js';
import { Text } from '../parts/text.js';
import { Ago } from '../parts/time.js';
import { visible } from '../text/visible-text.js';

const ALL = '*';

/** The kinds: how much of each waits and runs, how long that takes, and whether it is paused. */
export function Kinds() {
  const polled = usePolled<KindsAnswer>('api/kinds');
  const [pausing, setPausing] = useState<string | null>(null);
  const { data, reload } = polled;
  const resume = (kind: string) => void resumeKind(kind, reload);
  const actions: Column<KindRow> = {
    label: 'Actions',
    isLabelHidden: true,
    class: 'action-cell',
    cell: (row) => <KindButton row={row} onPause={setPausing} onResume={resume} />,
  };
  const canPauseAll = mayAct && data !== null && data.allPaused === null && data.kinds.length > 0;
  return (
    <Screen
      title="Kinds"
      aside={
        canPauseAll ? (
          <button type="button" onClick={() => setPausing(ALL)}>
            Pause all kinds
          </button>
        ) : undefined
      }
      polled={polled}
    >
      {(answer) => (
        <>
          <AllPaused answer={answer} onResume={resume} />
          <KindList answer={answer} actions={actions} />
          {pausing !== null && (
            <PauseKindDialog
              kind={pausing}
              running={runningOf(answer, pausing)}
              now={answer.now}
              onDone={reload}
              onClose={() => setPausing(null)}
            />
          )}
        </>
      )}
    </Screen>
  );
}

interface KindListProps {
  readonly answer: KindsAnswer;
  readonly actions: Column<KindRow>;
}

function KindList({ answer: { kinds, now }, actions }: KindListProps) {
  if (kinds.length === 0)
    return (
      <Empty title="No kinds yet">
        <p>
          A kind appears as soon as a worker with a <code>@JobHandler</code> of it starts, or a job of it is
          enqueued.
        </p>
      </Empty>
    );
  return (
    <DataTable
      caption="Kinds"
      class="kinds"
      columns={mayAct ? [...kindColumns(now), actions] : kindColumns(now)}
      rows={kinds}
      keyOf={({ kind }) => kind}
    />
  );
}

interface AllPausedProps {
  readonly answer: KindsAnswer;
  readonly onResume: (kind: string) => void;
}

function AllPaused({ answer: { allPaused, now }, onResume }: AllPausedProps) {
  if (allPaused === null) return null;
  return (
    <div class="notice notice-warning">
      <p>
        <strong>All kinds are paused</strong> since <Ago at={allPaused.since} now={now} />.{' '}
        {allPaused.reason !== null && <Text text={allPaused.reason} />}
      </p>
      {mayAct && (
        <button type="button" onClick={() => onResume(ALL)}>
          Resume all
        </button>
      )}
    </div>
  );
}

interface KindButtonProps {
  readonly row: KindRow;
  readonly onPause: (kind: string) => void;
  readonly onResume: (kind: string) => void;
}

function KindButton({ row: { kind, paused }, onPause, onResume }: KindButtonProps) {
  if (paused !== null && paused.kind === ALL) return null; // the notice above resumes it
  const isPaused = paused !== null;
  return (
    <button
      type="button"
      aria-label={`${isPaused ? 'Resume' : 'Pause'} ${visible(kind)}`}
      onClick={() => (isPaused ? onResume(kind) : onPause(kind))}
    >
      {isPaused ? 'Resume' : 'Pause'}
    </button>
  );
}

async function resumeKind(kind: string, onDone: () => void): Promise<void> {
  try {
    await act('resume', { kind });
    showToast({ tone: 'done', text: `Resumed: ${kind === ALL ? 'all kinds' : kind}.` });
    onDone();
  } catch (error) {
    showToast({ tone: 'error', text: messageOf(error) });
  }
}

function runningOf({ kinds }: KindsAnswer, name: string): number {
  return kinds
    .filter(({ kind }) => name === ALL || kind === name)
    .reduce((sum, { running }) => sum + running, 0);
}
