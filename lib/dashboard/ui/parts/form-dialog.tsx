import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { messageOf } from '../page/server.js';
import { Dialog } from './dialog.js';
import { ProblemText } from './problem-text.js';

interface FormDialogProps {
  readonly title: string;
  /** What the button says: a verb. */
  readonly submit: string;
  readonly isDanger?: boolean;
  readonly isDisabled?: boolean;
  /** Does it. The dialog closes when it has been done, and shows why where it has not. */
  readonly onSubmit: () => Promise<void>;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

/** A dialog that asks before something is done. */
export function FormDialog(props: FormDialogProps) {
  const { title, submit, isDanger = false, isDisabled = false, onSubmit, onClose, children } = props;
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy || isDisabled) return;
    setBusy(true);
    setProblem(null);
    try {
      await onSubmit();
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };

  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void send(event)}>
        {children}
        <ProblemText text={problem} />
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" class={isDanger ? 'danger' : 'primary'} disabled={isBusy || isDisabled}>
            {isBusy ? 'Working…' : submit}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
