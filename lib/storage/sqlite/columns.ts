import { selectList, type Columns } from '../sql/columns.js';

/** Selects columns: instants as milliseconds. */
export function select(columns: Columns): string {
  return selectList(columns, (name, type) => (type === 'instant' ? `${millisOf(name)} AS ${name}` : name));
}

/** An instant in milliseconds since 1970. */
export function millisOf(instant: string): string {
  return `unixepoch(${instant}, 'subsec') * 1000`;
}
