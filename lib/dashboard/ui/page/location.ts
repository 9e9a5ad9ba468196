import { createStore, useStore } from './store.js';

/*
 * The address of the page. Views live in its query, so that the page needs one route on the server, and each view can be
 * sent to somebody else. The path stays as the browser has it: the page does not know the prefixes that proxies strip.
 */
const query = createStore(location.search.slice(1));

addEventListener('popstate', () => query.set(location.search.slice(1)));

/** The query of the address, without `?`. */
export function useQuery(): URLSearchParams {
  return new URLSearchParams(useStore(query));
}

export function currentQuery(): URLSearchParams {
  return new URLSearchParams(query.get());
}

/** The address of a view. @param search e.g. `view=jobs&state=failed` */
export function hrefOf(search: string): string {
  return search === '' ? location.pathname : `${location.pathname}?${search}`;
}

/** Goes to a view. With `replace` the address of before does not stay in the history. */
export function navigate(search: string, { replace = false } = {}): void {
  if (search === query.get()) return;
  if (replace) history.replaceState(null, '', hrefOf(search));
  else history.pushState(null, '', hrefOf(search));
  query.set(search);
}
