import { useEffect, useRef } from 'preact/hooks';
import { hrefOf, useQuery } from './page/location.js';
import { SiteHeader } from './parts/site-header.js';
import { Toaster } from './parts/toaster.js';
import { viewOf } from './views.js';

/** The page: the menu, the screen of the address, and the results of actions. */
export function App() {
  const query = useQuery();
  const view = viewOf(query);
  const place = `${view.name} ${view.name === 'job' ? (query.get('id') ?? '') : ''}`;
  useFocusOnTitle(place);
  return (
    <>
      <SkipLink />
      <SiteHeader current={view.name} />
      <view.screen key={place} query={query} />
      <Toaster />
    </>
  );
}

/** Moves the focus to the title of a new screen, as a browser does when it loads a page. */
function useFocusOnTitle(place: string): void {
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    scrollTo(0, 0);
    document.getElementById('title')?.focus({ preventScroll: true });
  }, [place]);
}

/** With a `<base>`, `#main` alone would be another page. */
function SkipLink() {
  return (
    <a
      class="skip-link"
      href={`${hrefOf(location.search.slice(1))}#main`}
      onClick={(event) => {
        event.preventDefault();
        document.getElementById('main')?.focus();
      }}
    >
      Skip to the content
    </a>
  );
}
