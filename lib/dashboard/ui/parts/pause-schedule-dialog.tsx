import { useState } from 'preact/hooks';
import { act } from '../page/server.js';
import { showToast } from '../page/toasts.js';
import { visible } from '../text/visible-text.js';
import { Input } from './field.js';
import { FormDialog } from './form-dialog.js';

interface PauseScheduleDialogProps {
  readonly name: string;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Pauses a schedule: its ticks make no jobs. */
export function PauseScheduleDialog({ name, onDone, onClose }: PauseScheduleDialogProps) {
  const [reason, setReason] = useState('');
  const submit = async () => {
    await act('pause-schedule', { name, ...(reason === '' ? {} : { reason }) });
    showToast({ tone: 'done', text: `Paused: ${name}.` });
    onDone();
  };
  return (
    <FormDialog title={`Pause ${visible(name)}`} submit="Pause" onSubmit={submit} onClose={onClose}>
      <p>Its ticks make no jobs until somebody resumes it.</p>
      <Input
        label="Reason"
        hint="Everybody sees it here. May be left empty."
        value={reason}
        onValue={setReason}
      />
    </FormDialog>
  );
}
