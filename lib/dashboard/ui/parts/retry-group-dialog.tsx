import { useEffect, useState } from 'preact/hooks';
import type { Changed } from '../../api/actions.js';
import type { ErrorGroup } from '../../api/screens.js';
import { act, messageOf } from '../page/server.js';
import { showToast } from '../page/toasts.js';
import { jobsOf, resultOf } from '../text/changed.js';
import { FormDialog } from './form-dialog.js';
import { jobsSearch } from './link.js';
import { ProblemText } from './problem-text.js';
import { Text } from './text.js';

interface RetryGroupDialogProps {
  readonly group: ErrorGroup;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Counts the jobs of a group of errors, and retries them when that is confirmed. */
export function RetryGroupDialog({ group, onDone, onClose }: RetryGroupDialogProps) {
  const { fingerprint, kinds } = group;
  const [preview, setPreview] = useState<Changed | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    act('retry-group', { fingerprint, kinds, dryRun: true }).then(setPreview, (error: unknown) =>
      setProblem(messageOf(error)),
    );
  }, []);
  const submit = async () => {
    const changed = await act('retry-group', { fingerprint, kinds });
    showToast({
      tone: changed.problems.length === 0 ? 'done' : 'error',
      text: resultOf(changed, 'retried'),
      link: { search: jobsSearch({ kind: kinds }), label: 'Show the jobs' },
    });
    onDone();
  };
  return (
    <FormDialog
      title="Retry this group"
      submit={preview === null ? 'Retry' : `Retry ${jobsOf(preview)}`}
      isDisabled={preview === null || preview.matched === 0}
      onSubmit={submit}
      onClose={onClose}
    >
      <p class="error-text">
        <Text text={group.title} />
      </p>
      {problem === null ? (
        <p class="preview" role="status">
          {preview === null ? 'Counting…' : sentence(preview)}
        </p>
      ) : (
        <ProblemText text={problem} />
      )}
    </FormDialog>
  );
}

function sentence(preview: Changed): string {
  if (preview.matched === 0) return 'No job of this group is left: they were retried or deleted.';
  return `${jobsOf(preview)} will be ready at once and may use all attempts again.`;
}
