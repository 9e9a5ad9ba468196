import { useState } from 'preact/hooks';
import type { JobPage } from '../../api/job-screens.js';
import { act } from '../page/server.js';
import { showToast } from '../page/toasts.js';
import { inputValue } from '../text/times.js';
import { Input } from './field.js';
import { FormDialog } from './form-dialog.js';
import { VIEWERS_ZONE } from './time.js';

interface RescheduleDialogProps {
  readonly page: JobPage;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

const HOUR_MS = 3_600_000;
const LATER = [
  ['in 1 hour', HOUR_MS],
  ['in 6 hours', 6 * HOUR_MS],
  ['in 1 day', 24 * HOUR_MS],
] as const;

/** Lets a job that waits start at another time. */
export function RescheduleDialog({ page: { job, now }, onDone, onClose }: RescheduleDialogProps) {
  const [runAt, setRunAt] = useState(inputValue(Math.max(job.runAt ?? now, now)));
  const submit = async () => {
    await act('update', { id: job.id, runAt: new Date(runAt).getTime() });
    showToast({ tone: 'done', text: 'The job was rescheduled.' });
    onDone();
  };
  return (
    <FormDialog title="Reschedule job" submit="Reschedule" onSubmit={submit} onClose={onClose}>
      <Input
        label="Not before"
        type="datetime-local"
        isRequired
        value={runAt}
        onValue={setRunAt}
        hint={`In ${VIEWERS_ZONE}.`}
      />
      <div class="presets">
        {LATER.map(([label, ms]) => (
          <button key={label} type="button" onClick={() => setRunAt(inputValue(now + ms))}>
            {label}
          </button>
        ))}
      </div>
    </FormDialog>
  );
}
