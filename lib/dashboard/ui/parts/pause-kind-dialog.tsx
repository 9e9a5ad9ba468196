import { useState } from 'preact/hooks';
import { act } from '../page/server.js';
import { showToast } from '../page/toasts.js';
import { visible } from '../text/visible-text.js';
import { Choice, Input } from './field.js';
import { FormDialog } from './form-dialog.js';

const MINUTE_MS = 60_000;
const LENGTHS = [
  ['', 'somebody resumes it'],
  [String(15 * MINUTE_MS), '15 minutes have passed'],
  [String(60 * MINUTE_MS), '1 hour has passed'],
  [String(24 * 60 * MINUTE_MS), '1 day has passed'],
] as const;

interface PauseKindDialogProps {
  /** `'*'` for all kinds. */
  readonly kind: string;
  /** How many of its jobs run. */
  readonly running: number;
  /** Of the server's answer. */
  readonly now: number;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Pauses a kind: no job of it starts. What runs ends by itself, which drains it, or is stopped. */
export function PauseKindDialog({ kind, running, now, onDone, onClose }: PauseKindDialogProps) {
  const [reason, setReason] = useState('');
  const [lengthMs, setLengthMs] = useState('');
  const [stops, setStops] = useState(false);
  const name = kind === '*' ? 'all kinds' : visible(kind);
  const submit = async () => {
    await act('pause', {
      kind,
      ...(reason === '' ? {} : { reason }),
      ...(lengthMs === '' ? {} : { until: now + Number(lengthMs) }),
      ...(stops ? { stopRunning: true } : {}),
    });
    showToast({ tone: 'done', text: `Paused: ${name}.` });
    onDone();
  };
  return (
    <FormDialog
      title={`Pause ${name}`}
      submit="Pause"
      isDanger={kind === '*'}
      onSubmit={submit}
      onClose={onClose}
    >
      <p>No job starts until the pause ends. Jobs can still be enqueued.</p>
      <fieldset>
        <legend>Jobs that run now{running > 0 ? `: ${running}` : ''}</legend>
        <label class="check">
          <input type="radio" name="running" checked={!stops} onChange={() => setStops(false)} />
          Drain: let them end
        </label>
        <label class="check">
          <input type="radio" name="running" checked={stops} onChange={() => setStops(true)} />
          Stop them, and run them again after the pause
        </label>
      </fieldset>
      <Choice label="Until" value={lengthMs} onValue={setLengthMs} options={LENGTHS} />
      <Input
        label="Reason"
        hint="Everybody sees it here. May be left empty."
        value={reason}
        onValue={setReason}
      />
    </FormDialog>
  );
}
