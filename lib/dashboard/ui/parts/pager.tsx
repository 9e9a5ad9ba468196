import { Link } from './link.js';

interface PagerProps {
  /** The query of this screen. */
  readonly query: URLSearchParams;
  /** What `after` is for the next page; null where there is none. */
  readonly next: string | null;
  readonly nextLabel?: string;
}

/** Links to the first page and to the next one. The browser's button goes back to the page before. */
export function Pager({ query, next, nextLabel = 'Next page' }: PagerProps) {
  const isFirst = !query.has('after');
  if (isFirst && next === null) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {isFirst ? <span /> : <Link search={searchOf(query, null)}>First page</Link>}
      {next === null ? (
        <span class="muted">This is the last page.</span>
      ) : (
        <Link search={searchOf(query, next)}>{nextLabel}</Link>
      )}
    </nav>
  );
}

function searchOf(query: URLSearchParams, after: string | null): string {
  const search = new URLSearchParams(query);
  if (after === null) search.delete('after');
  else search.set('after', after);
  return search.toString();
}
