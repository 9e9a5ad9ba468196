import { selectList, type Columns } from '../sql/columns.js';

/** Selects columns: instants as milliseconds, so that neither the session's time zone nor the driver's matters. */
export function select(columns: Columns): string {
  return selectList(columns, (name, type) => (type === 'instant' ? `${millisOf(name)} AS ${name}` : name));
}

/** An instant in milliseconds since 1970. */
export function millisOf(instant: string): string {
  return `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${instant}) DIV 1000`;
}
