import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { useRowKeys } from './row-keys.js';

/** One column: its head, and what it shows of a row. */
export interface Column<Row> {
  readonly label: string;
  /** Whether the head is only heard, because the cells speak for themselves. */
  readonly isLabelHidden?: boolean;
  readonly isNumber?: boolean;
  readonly class?: string;
  readonly cell: (row: Row) => ComponentChildren;
}

/** Which rows are selected, by their keys. */
export interface RowSelection {
  readonly keys: ReadonlySet<string>;
  readonly toggle: (key: string) => void;
  readonly toggleAll: () => void;
}

interface DataTableProps<Row> {
  /** What the table holds, for those who hear it. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** What to call a row where it is selected. */
  readonly nameOf?: (row: Row) => string;
  readonly selection?: RowSelection;
  readonly class?: string;
}

/**
 * A table that becomes a list of cards where there is little room. `j` and `k` or the arrows go through its rows, `x` selects
 * one, Enter opens it. The roles are written out, because browsers forget them where CSS changes how a table is shown.
 */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, keyOf, selection } = props;
  const table = useRef<HTMLTableElement>(null);
  useRowKeys(table, selection === undefined ? undefined : (key) => selection.toggle(key));
  return (
    <table ref={table} role="table" class={`data ${props.class ?? ''}`}>
      <caption class="visually-hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {selection !== undefined && (
            <th role="columnheader" class="select-cell">
              <SelectAll rows={rows.length} selection={selection} />
            </th>
          )}
          {columns.map(({ label, isLabelHidden = false, isNumber = false, class: className = '' }) => (
            <th
              key={label}
              role="columnheader"
              scope="col"
              class={`${className} ${isNumber ? 'number' : ''}`}
            >
              {isLabelHidden ? <span class="visually-hidden">{label}</span> : label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <TableRow key={keyOf(row)} row={row} {...props} />
        ))}
      </tbody>
    </table>
  );
}

function TableRow<Row>({
  row,
  columns,
  keyOf,
  nameOf,
  selection,
}: DataTableProps<Row> & { readonly row: Row }) {
  const key = keyOf(row);
  const isSelected = selection?.keys.has(key) ?? false;
  return (
    <tr role="row" tabIndex={-1} data-key={key} class={isSelected ? 'is-selected' : undefined}>
      {selection !== undefined && (
        <td role="cell" class="select-cell">
          <input
            type="checkbox"
            checked={isSelected}
            aria-label={`Select ${nameOf?.(row) ?? key}`}
            onChange={() => selection.toggle(key)}
          />
        </td>
      )}
      {columns.map(({ label, isLabelHidden = false, isNumber = false, class: className = '', cell }) => (
        <td
          key={label}
          role="cell"
          class={`${className} ${isNumber ? 'number' : ''}`}
          data-label={isLabelHidden ? undefined : label}
        >
          {cell(row)}
        </td>
      ))}
    </tr>
  );
}

function SelectAll({ rows, selection }: { readonly rows: number; readonly selection: RowSelection }) {
  const { size } = selection.keys;
  return (
    <input
      type="checkbox"
      checked={size > 0 && size === rows}
      indeterminate={size > 0 && size < rows}
      aria-label="Select all on this page"
      onChange={selection.toggleAll}
    />
  );
}
