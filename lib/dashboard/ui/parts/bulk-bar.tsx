import { useState } from 'preact/hooks';
import type { Selection } from '../../api/actions.js';
import type { JobRow } from '../../api/job-screens.js';
import { count } from '../text/numbers.js';
import { JobActionDialog } from './job-action-dialog.js';
import { JOB_ACTIONS, type JobAction } from './job-actions.js';
import type { RowSelection } from './data-table.js';

interface BulkBarProps {
  readonly selection: RowSelection & { readonly clear: () => void };
  /** Those on the page. */
  readonly jobs: readonly JobRow[];
  /** Which jobs the list is of, as a query of api/jobs. */
  readonly filter: string;
  readonly onChanged: () => void;
}

/** What can be done to the selected jobs, or to all that match. It is there before anything is selected: nothing jumps. */
export function BulkBar({ selection, jobs, filter, onChanged }: BulkBarProps) {
  const [isAll, setAll] = useState(false);
  const [action, setAction] = useState<JobAction | null>(null);
  const isNone = selection.keys.size === 0 && !isAll;
  const done = () => {
    selection.clear();
    setAll(false);
    onChanged();
  };
  return (
    <>
      <div class="bulk" role="group" aria-label="Actions">
        <span class="bulk-count">{isAll ? 'All that match' : `${count(selection.keys.size)} selected`}</span>
        {JOB_ACTIONS.map((each) => (
          <button
            key={each.name}
            type="button"
            disabled={isNone || !isPossible(each, jobs, isAll ? null : selection.keys)}
            onClick={() => setAction(each)}
          >
            {each.label}
          </button>
        ))}
        <label class="check">
          <input type="checkbox" checked={isAll} onChange={(event) => setAll(event.currentTarget.checked)} />
          All that match, also on other pages
        </label>
      </div>
      {action !== null && (
        <JobActionDialog
          action={action}
          selection={isAll ? { filter } : idsOf(selection.keys)}
          onDone={done}
          onClose={() => setAction(null)}
        />
      )}
    </>
  );
}

function idsOf(keys: ReadonlySet<string>): Selection {
  return { ids: [...keys] };
}

/** Whether one of the jobs is in a state for it; of all that match the page does not know. */
function isPossible(action: JobAction, jobs: readonly JobRow[], keys: ReadonlySet<string> | null): boolean {
  return keys === null || jobs.some(({ id, state }) => keys.has(id) && action.states.includes(state));
}
