import { selectList, type Columns, type ColumnType } from '../sql/columns.js';

/**
 * Selects columns: JSON as its text, instants as milliseconds, independent of the session's time zone, of DateStyle and of
 * the type parsers that an application may have set on the driver.
 *
 * @param table what the columns belong to, if the statement must say so
 */
export function select(columns: Columns, table?: string): string {
  return selectList(columns, (name, type) => {
    const column = table === undefined ? name : `${table}.${name}`;
    return type === 'plain' ? column : `${expressionOf(column, type)} AS ${name}`;
  });
}

/** The value of a column as `select` returns it. */
export function expressionOf(column: string, type: ColumnType): string {
  if (type === 'json') return `${column}::text`;
  return type === 'instant' ? `date_part('epoch', ${column}) * 1000` : column;
}
