import { printable } from '../../events/log-text.js';

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | null | undefined;
  /** Numbers stand at the right. */
  readonly isRight?: boolean;
  /** Takes what is left of the line, and is cut there. At most one column. */
  readonly isLong?: boolean;
}

const GAP = '  ';
const EMPTY = '-';
/** A long column is not cut to less than this. */
const SHORTEST = 20;

/**
 * Rows under titles, aligned. Control characters appear as escapes.
 * @param width of a line, in characters; undefined leaves lines as long as they are
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width?: number): string {
  const cells = rows.map((row) => columns.map((column) => cell(column.value(row))));
  const lines = [columns.map(({ title }) => title.toUpperCase()), ...cells];
  const widths = columns.map((_column, place) => Math.max(...lines.map((line) => widthOf(line[place]!))));
  const long = columns.findIndex(({ isLong }) => isLong === true);
  if (long !== -1 && width !== undefined) {
    const others =
      widths.reduce((sum, one) => sum + one, 0) - widths[long]! + GAP.length * (columns.length - 1);
    widths[long] = Math.min(widths[long]!, Math.max(SHORTEST, width - others));
  }
  return lines
    .map((line) =>
      line
        .map((text, place) =>
          padded(cut(text, widths[place]!), widths[place]!, columns[place]!.isRight === true),
        )
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values under each other, aligned. Values are as they are; those that are undefined are left out. */
export function facts(
  pairs: readonly (readonly [name: string, value: string | number | undefined])[],
): string {
  const shown = pairs.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}${GAP}${printable(String(value))}`).join('\n');
}

function cell(value: string | number | null | undefined): string {
  return value === null || value === undefined || value === '' ? EMPTY : printable(String(value));
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const characters = Array.from(text);
  while (widthOf(characters.join('')) > width - 1) characters.pop();
  return `${characters.join('')}…`;
}

function padded(text: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return isRight ? space + text : text + space;
}

/** Characters that a terminal shows twice as wide: those of East Asia, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const NONE = /\p{M}|\p{Cf}/u;

/** How many columns of a terminal a text takes. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}
