import { useState } from 'preact/hooks';
import type { ScheduleRow, Schedules as SchedulesAnswer } from '../../api/screens.js';
import { usePolled } from '../page/polled.js';
import type { ScreenProps } from '../page/screen-props.js';
import { act, messageOf } from '../page/server.js';
import { mayAct } from '../page/session.js';
import { showToast } from '../page/toasts.js';
import { BackfillDialog } from '../parts/backfill-dialog.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Empty } from '../parts/empty.js';
import { jobSearch } from '../parts/link.js';
import { Pager } from '../parts/pager.js';
import { PauseScheduleDialog } from '../parts/pause-schedule-dialog.js';
import { PreviewDialog } from '../parts/preview-dialog.js';
import { scheduleColumns } from '../parts/schedule-columns.js';
import { Screen } from '../parts/screen.js';
import { visible } from '../text/visible-text.js';

/** Which dialog is open, and of which schedule. */
interface Open {
  readonly dialog: 'pause' | 'backfill' | 'preview';
  readonly schedule: ScheduleRow;
}

/** The schedules: when each ticks, and whether it does. */
export function Schedules({ query }: ScreenProps) {
  const after = query.get('after');
  const search = after === null ? '' : `?${new URLSearchParams({ after }).toString()}`;
  const polled = usePolled<SchedulesAnswer>(`api/schedules${search}`);
  const [open, setOpen] = useState<Open | null>(null);
  const buttons: Column<ScheduleRow> = {
    label: 'Actions',
    isLabelHidden: true,
    class: 'action-cell',
    cell: (schedule) => <Buttons schedule={schedule} onOpen={setOpen} onDone={polled.reload} />,
  };
  return (
    <Screen title="Schedules" polled={polled}>
      {({ schedules, now, next }) => (
        <>
          {schedules.length === 0 ? (
            <NoSchedules />
          ) : (
            <DataTable
              caption="Schedules"
              class="schedules"
              columns={[...scheduleColumns(now), buttons]}
              rows={schedules}
              keyOf={({ name }) => name}
            />
          )}
          <Pager query={query} next={next} />
          {open !== null && (
            <OpenDialog {...open} now={now} onDone={polled.reload} onClose={() => setOpen(null)} />
          )}
        </>
      )}
    </Screen>
  );
}

function NoSchedules() {
  return (
    <Empty title="There are no schedules">
      <p>
        Give a handler a rule with <code>@JobSchedule</code>, or make one with{' '}
        <code>JobSchedules.upsert</code>.
      </p>
    </Empty>
  );
}

interface ButtonsProps {
  readonly schedule: ScheduleRow;
  readonly onOpen: (open: Open) => void;
  readonly onDone: () => void;
}

function Buttons({ schedule, onOpen, onDone }: ButtonsProps) {
  const label = (verb: string) => `${verb} ${visible(schedule.name)}`;
  const preview = (
    <button
      type="button"
      aria-label={label('Preview')}
      onClick={() => onOpen({ dialog: 'preview', schedule })}
    >
      Preview
    </button>
  );
  if (!mayAct) return preview;
  return (
    <span class="buttons">
      {preview}
      <button type="button" aria-label={label('Run now')} onClick={() => void run(schedule, onDone)}>
        Run now
      </button>
      <button
        type="button"
        aria-label={label('Backfill')}
        onClick={() => onOpen({ dialog: 'backfill', schedule })}
      >
        Backfill
      </button>
      {schedule.paused === null ? (
        <button
          type="button"
          aria-label={label('Pause')}
          onClick={() => onOpen({ dialog: 'pause', schedule })}
        >
          Pause
        </button>
      ) : (
        <button type="button" aria-label={label('Resume')} onClick={() => void resume(schedule, onDone)}>
          Resume
        </button>
      )}
    </span>
  );
}

interface OpenDialogProps extends Open {
  readonly now: number;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function OpenDialog({ dialog, schedule, now, onDone, onClose }: OpenDialogProps) {
  if (dialog === 'preview') return <PreviewDialog schedule={schedule} now={now} onClose={onClose} />;
  if (dialog === 'pause')
    return <PauseScheduleDialog name={schedule.name} onDone={onDone} onClose={onClose} />;
  return <BackfillDialog name={schedule.name} now={now} onDone={onDone} onClose={onClose} />;
}

async function run({ name }: ScheduleRow, onDone: () => void): Promise<void> {
  try {
    const { id } = await act('run-schedule', { name });
    showToast({
      tone: 'done',
      text: `Enqueued a job of ${name}.`,
      link: { search: jobSearch(id), label: 'Open it' },
    });
    onDone();
  } catch (error) {
    showToast({ tone: 'error', text: messageOf(error) });
  }
}

async function resume({ name }: ScheduleRow, onDone: () => void): Promise<void> {
  try {
    await act('resume-schedule', { name });
    showToast({ tone: 'done', text: `Resumed: ${name}.` });
    onDone();
  } catch (error) {
    showToast({ tone: 'error', text: messageOf(error) });
  }
}
