import { useState } from 'preact/hooks';
import type { JobPage } from '../../api/job-screens.js';
import { navigate } from '../page/location.js';
import { act } from '../page/server.js';
import { showToast } from '../page/toasts.js';
import { isEditable } from './edit-job-dialog.js';
import { JsonInput } from './field.js';
import { FormDialog } from './form-dialog.js';
import { jobSearch } from './link.js';

interface CloneJobDialogProps {
  readonly job: JobPage['job'];
  readonly onClose: () => void;
}

/** Enqueues a copy, with the same payload or a changed one, and goes to it. */
export function CloneJobDialog({ job, onClose }: CloneJobDialogProps) {
  const [payload, setPayload] = useState(job.payload.text);
  const submit = async () => {
    const { id } = await act('clone', {
      id: job.id,
      ...(payload === job.payload.text ? {} : { payload }),
    });
    showToast({ tone: 'done', text: 'A copy was enqueued. This is it.' });
    navigate(jobSearch(id));
  };
  return (
    <FormDialog title="Clone job" submit="Enqueue a copy" onSubmit={submit} onClose={onClose}>
      <p>The copy has the kind, the payload, the tags and the limits of this job, and starts at once.</p>
      {isEditable(job) ? (
        <JsonInput label="Payload" value={payload} onValue={setPayload} />
      ) : (
        <p class="muted">The payload is copied as it is stored, also what is hidden here.</p>
      )}
    </FormDialog>
  );
}
