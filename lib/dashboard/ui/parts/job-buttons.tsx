import { useState } from 'preact/hooks';
import type { JobPage } from '../../api/job-screens.js';
import { navigate } from '../page/location.js';
import { EditJobDialog } from './edit-job-dialog.js';
import { CloneJobDialog } from './clone-job-dialog.js';
import { JobActionDialog } from './job-action-dialog.js';
import { JOB_ACTIONS, type JobAction } from './job-actions.js';
import { jobsSearch } from './link.js';
import { RescheduleDialog } from './reschedule-dialog.js';

const WAITING: readonly string[] = ['scheduled', 'blocked', 'ready', 'retrying'];

type Open = JobAction | 'edit' | 'reschedule' | 'clone' | null;

interface JobButtonsProps {
  readonly page: JobPage;
  readonly onChanged: () => void;
}

/** What can be done to one job in its state. */
export function JobButtons({ page, onChanged }: JobButtonsProps) {
  const [open, setOpen] = useState<Open>(null);
  const { job } = page;
  const close = () => setOpen(null);
  return (
    <>
      {JOB_ACTIONS.filter(({ states }) => states.includes(job.state)).map((action) => (
        <button
          key={action.name}
          type="button"
          class={action.name === 'retry' ? 'primary' : undefined}
          onClick={() => setOpen(action)}
        >
          {action.label}
        </button>
      ))}
      {WAITING.includes(job.state) && (
        <>
          <button type="button" onClick={() => setOpen('reschedule')}>
            Reschedule
          </button>
          <button type="button" onClick={() => setOpen('edit')}>
            Edit
          </button>
        </>
      )}
      <button type="button" onClick={() => setOpen('clone')}>
        Clone
      </button>
      {open === 'edit' && <EditJobDialog job={job} onDone={onChanged} onClose={close} />}
      {open === 'reschedule' && <RescheduleDialog page={page} onDone={onChanged} onClose={close} />}
      {open === 'clone' && <CloneJobDialog job={job} onClose={close} />}
      {open !== null && typeof open !== 'string' && (
        <JobActionDialog
          action={open}
          selection={{ ids: [job.id] }}
          onDone={open.name === 'delete' ? () => navigate(jobsSearch({ kind: job.kind })) : onChanged}
          onClose={close}
        />
      )}
    </>
  );
}
