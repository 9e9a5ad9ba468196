import { selectList, type Columns } from '../sql/columns.js';

/**
 * Selects columns: instants as milliseconds, so that neither the session's time zone nor the driver's matters.
 * @param instead expressions that stand for some of them
 */
export function select(columns: Columns, instead: Readonly<Record<string, string>> = {}): string {
  return selectList(columns, (name, type) => {
    const expression = instead[name] ?? (type === 'instant' ? millisOf(name) : name);
    return expression === name ? name : `${expression} AS ${name}`;
  });
}

/** An instant in milliseconds since 1970. */
export function millisOf(instant: string): string {
  return `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${instant}) DIV 1000`;
}
