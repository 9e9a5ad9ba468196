import type { Audit as AuditAnswer, AuditRow } from '../../api/screens.js';
import { usePolled } from '../page/polled.js';
import type { ScreenProps } from '../page/screen-props.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Empty } from '../parts/empty.js';
import { Pager } from '../parts/pager.js';
import { Screen } from '../parts/screen.js';
import { Text } from '../parts/text.js';
import { Ago, Instant } from '../parts/time.js';
import { count } from '../text/numbers.js';
import { targetWords } from '../text/audit-target.js';

/** Who did what, the newest first. */
export function Audit({ query }: ScreenProps) {
  const after = query.get('after');
  const search = after === null ? '' : `?${new URLSearchParams({ after }).toString()}`;
  const polled = usePolled<AuditAnswer>(`api/audit${search}`);
  return (
    <Screen title="Audit" polled={polled}>
      {({ entries, now, next }) => (
        <>
          {entries.length === 0 ? (
            <Empty title="Nothing was done here yet">
              <p>
                Each action of this dashboard is recorded: who did what to which jobs, and what came of it.
              </p>
            </Empty>
          ) : (
            <DataTable
              caption="Actions"
              class="audit"
              columns={columns(now)}
              rows={numbered(entries)}
              keyOf={keyOf}
            />
          )}
          <Pager query={query} next={next} nextLabel="Older" />
        </>
      )}
    </Screen>
  );
}

/** Entries have no id, and two may be of the same instant. */
interface NumberedRow extends AuditRow {
  readonly number: number;
}

function numbered(entries: readonly AuditRow[]): readonly NumberedRow[] {
  return entries.map((entry, index) => ({ ...entry, number: entries.length - index }));
}

function keyOf({ at, number }: NumberedRow): string {
  return `${at} ${number}`;
}

function columns(now: number): readonly Column<NumberedRow>[] {
  return [
    { label: 'When', class: 'when-cell', cell: ({ at }) => <When at={at} now={now} /> },
    { label: 'Who', class: 'who-cell', cell: ({ who }) => <Text text={who} /> },
    { label: 'Action', class: 'state-cell', cell: ({ action }) => <code>{action}</code> },
    {
      label: 'What',
      class: 'group-cell',
      cell: ({ target }) => <Text text={targetWords(target)} class="wrap" />,
    },
    { label: 'Changed', isNumber: true, cell: ({ changed }) => (changed === null ? '–' : count(changed)) },
    {
      label: 'Problem',
      class: 'problem-cell',
      cell: ({ problem }) => problem !== null && <Text text={problem} class="error-text" />,
    },
  ];
}

function When({ at, now }: { readonly at: number; readonly now: number }) {
  return (
    <>
      <Ago at={at} now={now} />
      <span class="cell-under">
        <Instant at={at} />
      </span>
    </>
  );
}
