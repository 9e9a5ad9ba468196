import { useState } from 'preact/hooks';
import type { Actions } from '../../api/actions.js';
import type { JobPage } from '../../api/job-screens.js';
import { act } from '../page/server.js';
import { showToast } from '../page/toasts.js';
import { tagsOf } from '../text/tags.js';
import { Input, JsonInput } from './field.js';
import { FormDialog } from './form-dialog.js';

interface EditJobDialogProps {
  readonly job: JobPage['job'];
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Changes a job that waits. Only what was changed in the form is sent. */
export function EditJobDialog({ job, onDone, onClose }: EditJobDialogProps) {
  const [payload, setPayload] = useState(job.payload.text);
  const [priority, setPriority] = useState(String(job.priority));
  const [maxAttempts, setMaxAttempts] = useState(job.maxAttempts === null ? '' : String(job.maxAttempts));
  const [tags, setTags] = useState(job.tags.join(', '));
  const submit = async () => {
    const changes: Omit<Actions['update'][0], 'id'> = {
      ...(payload === job.payload.text ? {} : { payload }),
      ...(priority === String(job.priority) ? {} : { priority: Number(priority) }),
      ...(maxAttempts === '' || maxAttempts === String(job.maxAttempts)
        ? {}
        : { maxAttempts: Number(maxAttempts) }),
      ...(tags === job.tags.join(', ') ? {} : { tags: tagsOf(tags) }),
    };
    await act('update', { id: job.id, ...changes });
    showToast({ tone: 'done', text: 'The job was changed.' });
    onDone();
  };
  return (
    <FormDialog title="Edit job" submit="Save" onSubmit={submit} onClose={onClose}>
      {isEditable(job) ? (
        <JsonInput label="Payload" value={payload} onValue={setPayload} />
      ) : (
        <p class="muted">
          The payload cannot be edited here: it is cut off, or bytes, or parts of it are hidden. Reveal them
          first.
        </p>
      )}
      <div class="fields">
        <Input
          label="Priority"
          hint="Lower runs first."
          type="number"
          isRequired
          value={priority}
          onValue={setPriority}
        />
        <Input label="Attempts at most" type="number" value={maxAttempts} onValue={setMaxAttempts} />
      </div>
      <Input label="Tags" hint="Separated by commas." value={tags} onValue={setTags} />
    </FormDialog>
  );
}

/** Whether the text is the payload as it is: else what is hidden would be overwritten. */
export function isEditable({ payload }: Pick<JobPage['job'], 'payload'>): boolean {
  return payload.type !== 'bytes' && !payload.redacted && !payload.truncated;
}
