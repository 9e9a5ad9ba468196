import { useState } from 'preact/hooks';
import { act } from '../page/server.js';
import { showToast } from '../page/toasts.js';
import { plural } from '../text/numbers.js';
import { inputValue } from '../text/times.js';
import { visible } from '../text/visible-text.js';
import { Input } from './field.js';
import { FormDialog } from './form-dialog.js';
import { jobsSearch } from './link.js';
import { VIEWERS_ZONE } from './time.js';

const DAY_MS = 86_400_000;

interface BackfillDialogProps {
  readonly name: string;
  readonly now: number;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Makes the jobs of ticks that have passed. */
export function BackfillDialog({ name, now, onDone, onClose }: BackfillDialogProps) {
  const [from, setFrom] = useState(inputValue(now - DAY_MS));
  const [to, setTo] = useState(inputValue(now));
  const [limit, setLimit] = useState('100');
  const submit = async () => {
    const { created, existing } = await act('backfill', {
      name,
      from: new Date(from).getTime(),
      to: new Date(to).getTime(),
      ...(limit === '' ? {} : { limit: Number(limit) }),
    });
    showToast({
      tone: 'done',
      text: resultText(created, existing),
      link: { search: jobsSearch({ schedule: name }), label: 'Show them' },
    });
    onDone();
  };
  return (
    <FormDialog title={`Backfill ${visible(name)}`} submit="Enqueue" onSubmit={submit} onClose={onClose}>
      <p>Enqueues a job for each tick of this span that has none yet.</p>
      <div class="fields">
        <Input
          label="From"
          type="datetime-local"
          isRequired
          value={from}
          onValue={setFrom}
          hint={`In ${VIEWERS_ZONE}.`}
        />
        <Input label="To" type="datetime-local" isRequired value={to} onValue={setTo} />
      </div>
      <Input label="Jobs at most" type="number" value={limit} onValue={setLimit} />
    </FormDialog>
  );
}

function resultText(created: number, existing: number): string {
  const made = `${plural(created, 'job')} enqueued.`;
  return existing === 0 ? made : `${made} ${plural(existing, 'tick')} had one already.`;
}
