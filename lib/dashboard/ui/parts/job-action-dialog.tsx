import { useEffect, useState } from 'preact/hooks';
import type { Changed, Selection } from '../../api/actions.js';
import { act, messageOf } from '../page/server.js';
import { showToast } from '../page/toasts.js';
import { jobsOf, resultOf } from '../text/changed.js';
import { count, plural } from '../text/numbers.js';
import { Input } from './field.js';
import { FormDialog } from './form-dialog.js';
import type { JobAction } from './job-actions.js';
import { ProblemText } from './problem-text.js';
import { ShortId, Text } from './text.js';

interface JobActionDialogProps {
  readonly action: JobAction;
  readonly selection: Selection;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Asks the server how many jobs it would be, and does it when that is confirmed. */
export function JobActionDialog({ action, selection, onDone, onClose }: JobActionDialogProps) {
  const preview = usePreview(action, selection);
  const [reason, setReason] = useState('');
  const [isSure, setSure] = useState(false);
  const matched = preview.changed?.matched ?? 0;
  const many = jobsOf(preview.changed ?? { matched });
  const mustBeSure = selection.filter !== undefined && (action.isDanger || selection.filter === '');

  const submit = async () => {
    const body = action.name === 'cancel' && reason !== '' ? { ...selection, reason } : selection;
    const changed = await act(action.name, body);
    showToast({
      tone: changed.problems.length === 0 ? 'done' : 'error',
      text: resultOf(changed, action.done),
    });
    onDone();
  };

  return (
    <FormDialog
      title={`${action.label} jobs`}
      submit={matched === 0 ? action.label : `${action.label} ${many}`}
      isDanger={action.isDanger}
      isDisabled={matched === 0 || (mustBeSure && !isSure)}
      onSubmit={submit}
      onClose={onClose}
    >
      <PreviewText action={action} selection={selection} {...preview} />
      {action.name === 'cancel' && (
        <Input
          label="Reason"
          hint="Is kept with the jobs. May be left empty."
          value={reason}
          onValue={setReason}
        />
      )}
      {mustBeSure && matched > 0 && <Confirmation many={many} isSure={isSure} onSure={setSure} />}
    </FormDialog>
  );
}

interface ConfirmationProps {
  readonly many: string;
  readonly isSure: boolean;
  readonly onSure: (isSure: boolean) => void;
}

/** Asks once more where jobs are meant that are not on the page. */
function Confirmation({ many, isSure, onSure }: ConfirmationProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={isSure} onChange={(event) => onSure(event.currentTarget.checked)} />
      Yes, all {many}, also those that are not on this page.
    </label>
  );
}

interface Preview {
  /** Null until the answer. */
  readonly changed: Changed | null;
  readonly problem: string | null;
}

function usePreview(action: JobAction, selection: Selection): Preview {
  const [preview, setPreview] = useState<Preview>({ changed: null, problem: null });
  useEffect(() => {
    act(action.name, { ...selection, dryRun: true }).then(
      (changed) => setPreview({ changed, problem: null }),
      (error: unknown) => setPreview({ changed: null, problem: messageOf(error) }),
    );
  }, []);
  return preview;
}

type PreviewTextProps = Preview & Pick<JobActionDialogProps, 'action' | 'selection'>;

function PreviewText({ action, selection, changed, problem }: PreviewTextProps) {
  if (problem !== null) return <ProblemText text={problem} />;
  if (changed === null) return <p class="preview">Counting…</p>;
  const asked = selection.ids?.length;
  const isPart = asked !== undefined && changed.matched < asked;
  return (
    <div class="preview" role="status">
      <p>
        <strong>{isPart ? `${count(changed.matched)} of ${plural(asked, 'job')}` : jobsOf(changed)}</strong>{' '}
        will be {action.done}. {action.note}
      </p>
      {isPart && <p class="muted">The others are in a state in which this is not possible.</p>}
      <Problems changed={changed} />
    </div>
  );
}

function Problems({ changed }: { readonly changed: Changed }) {
  if (changed.problems.length === 0) return null;
  return (
    <ul class="problems">
      {changed.problems.slice(0, 5).map(({ id, problem }) => (
        <li key={id}>
          <ShortId id={id} /> <Text text={problem} />
        </li>
      ))}
    </ul>
  );
}
