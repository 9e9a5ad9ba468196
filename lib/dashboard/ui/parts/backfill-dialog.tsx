import { useEffect, useState } from 'preact/hooks';
import type { Actions, Backfilled } from '../../api/actions.js';
import { act, messageOf } from '../page/server.js';
import { after } from '../page/timers.js';
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
  const asked = {
    name,
    from: new Date(from).getTime(),
    to: new Date(to).getTime(),
    ...(limit === '' ? {} : { limit: Number(limit) }),
  };
  const preview = useBackfillPreview(asked);
  const submit = async () => {
    const { created, existing } = await act('backfill', asked);
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
      <p class="preview" role="status">
        {preview}
      </p>
    </FormDialog>
  );
}

/** While somebody types, the server is not asked. */
const PAUSE_MS = 300;

/** What would be made, in words; empty where the form says nothing that can be asked for. */
function useBackfillPreview(asked: Asked): string {
  const [text, setText] = useState('');
  const { name, from, to, limit } = asked;
  useEffect(() => {
    const isWhole = Number.isFinite(from) && Number.isFinite(to);
    setText(isWhole ? 'Counting…' : '');
    if (!isWhole) return;
    let isLate = false;
    const tell = (told: string) => {
      if (!isLate) setText(told);
    };
    const cancel = after(PAUSE_MS, () => {
      act('backfill', { ...asked, dryRun: true }).then(
        (answer) => tell(previewText(answer)),
        (error: unknown) => tell(messageOf(error)),
      );
    });
    return () => {
      isLate = true;
      cancel();
    };
  }, [name, from, to, limit]);
  return text;
}

type Asked = Omit<Actions['backfill'][0], 'dryRun'>;

function previewText({ created, existing }: Backfilled): string {
  const had =
    existing === 0
      ? ''
      : ` ${plural(existing, 'tick')} of this span ${existing === 1 ? 'has' : 'have'} one already.`;
  return `${plural(created, 'job')} will be enqueued.${had}`;
}

function resultText(created: number, existing: number): string {
  const made = `${plural(created, 'job')} enqueued.`;
  return existing === 0 ? made : `${made} ${plural(existing, 'tick')} had one already.`;
}
