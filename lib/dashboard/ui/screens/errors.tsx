import { useState } from 'preact/hooks';
import type { ErrorGroup, Errors as ErrorsAnswer } from '../../api/screens.js';
import { usePolled } from '../page/polled.js';
import type { ScreenProps } from '../page/screen-props.js';
import { mayAct } from '../page/session.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Empty } from '../parts/empty.js';
import { jobSearch, jobsSearch, Link } from '../parts/link.js';
import { Pager } from '../parts/pager.js';
import { RetryGroupDialog } from '../parts/retry-group-dialog.js';
import { Screen } from '../parts/screen.js';
import { TagList } from '../parts/tag-list.js';
import { Text } from '../parts/text.js';
import { Ago } from '../parts/time.js';
import { count, plural } from '../text/numbers.js';
import { visible } from '../text/visible-text.js';

/** The jobs that failed or panicked, together by what went wrong. */
export function Errors({ query }: ScreenProps) {
  const polled = usePolled<ErrorsAnswer>(`api/errors?${askedOf(query)}`);
  const [group, setGroup] = useState<ErrorGroup | null>(null);
  return (
    <Screen title="Errors" polled={polled}>
      {(answer) => (
        <>
          {answer.groups.length === 0 ? (
            <NoErrors answer={answer} />
          ) : (
            <DataTable
              caption="Groups of errors"
              class="errors"
              columns={columns(answer.now, setGroup)}
              rows={answer.groups}
              keyOf={({ fingerprint }) => fingerprint}
            />
          )}
          {answer.searched > 0 && (
            <p class="muted below">
              Made of the newest {plural(answer.searched, 'job')} that failed or panicked.
            </p>
          )}
          <Pager query={query} next={answer.next} nextLabel="Older errors" />
          {group !== null && (
            <RetryGroupDialog group={group} onDone={polled.reload} onClose={() => setGroup(null)} />
          )}
        </>
      )}
    </Screen>
  );
}

function askedOf(query: URLSearchParams): string {
  const asked = new URLSearchParams();
  for (const name of ['after', 'kind']) for (const value of query.getAll(name)) asked.append(name, value);
  return asked.toString();
}

function NoErrors({ answer }: { readonly answer: ErrorsAnswer }) {
  return (
    <Empty title={answer.next === null ? 'No job has failed' : 'No error found so far'}>
      <p>Jobs that fail for good, and those that panic, are listed here by what went wrong.</p>
    </Empty>
  );
}

function columns(now: number, onRetry: (group: ErrorGroup) => void): readonly Column<ErrorGroup>[] {
  const shown: readonly Column<ErrorGroup>[] = [
    { label: 'Error', class: 'group-cell', cell: (group) => <Title group={group} /> },
    { label: 'Kinds', class: 'kinds-cell', cell: ({ kinds }) => <KindLinks kinds={kinds} /> },
    { label: 'Jobs', isNumber: true, cell: (group) => count(group.count) },
    { label: 'Last', cell: ({ lastAt }) => <Ago at={lastAt} now={now} /> },
    { label: 'First', cell: ({ firstAt }) => <Ago at={firstAt} now={now} /> },
  ];
  if (!mayAct) return shown;
  const retry = (group: ErrorGroup) => (
    <button type="button" aria-label={`Retry all: ${visible(group.title)}`} onClick={() => onRetry(group)}>
      Retry all
    </button>
  );
  return [...shown, { label: 'Actions', isLabelHidden: true, class: 'action-cell', cell: retry }];
}

function Title({ group: { title, frame, jobIds } }: { readonly group: ErrorGroup }) {
  const newest = jobIds[0];
  return (
    <>
      {newest === undefined ? (
        <Text text={title} class="error-text" />
      ) : (
        <Link search={jobSearch(newest)} title="Open the newest job of this group" class="error-link">
          <Text text={title} />
        </Link>
      )}
      {frame !== null && (
        <span class="job-under muted mono">
          <Text text={frame} />
        </span>
      )}
    </>
  );
}

function KindLinks({ kinds }: { readonly kinds: readonly string[] }) {
  return (
    <TagList names={kinds} most={3} noun="kind">
      {(kind) => (
        <Link key={kind} class="tag" search={jobsSearch({ kind, state: ['failed', 'panic'] })}>
          <Text text={kind} />
        </Link>
      )}
    </TagList>
  );
}
