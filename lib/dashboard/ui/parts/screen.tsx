import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Polled } from '../page/polled.js';
import { session } from '../page/session.js';
import { visible } from '../text/visible-text.js';
import { Failure } from './failure.js';
import { VIEWERS_ZONE } from './time.js';

interface ScreenProps<Data> {
  readonly title: string;
  /** What stands in place of the title, where that is not enough. */
  readonly heading?: ComponentChildren;
  /** Beside the title. */
  readonly aside?: ComponentChildren;
  readonly polled: Polled<Data>;
  readonly children: (data: Data) => ComponentChildren;
}

/** The frame of a screen: its title, what went wrong, and what it shows as soon as that is there. */
export function Screen<Data>({ title, heading, aside, polled, children }: ScreenProps<Data>) {
  const { data, error } = polled;
  useEffect(() => {
    document.title = `${visible(title)} · ${session.name}`;
  }, [title]);
  return (
    <main id="main" tabIndex={-1} aria-busy={data === null && error === null}>
      <header class="screen-head">
        <h1 id="title" tabIndex={-1}>
          {heading ?? title}
        </h1>
        {aside !== undefined && <div class="screen-aside">{aside}</div>}
      </header>
      {error !== null && <Failure error={error} hasData={data !== null} onRetry={polled.reload} />}
      {data !== null && (
        <>
          <div class={polled.isOld ? 'screen-body is-old' : 'screen-body'}>{children(data)}</div>
          <p class="hint zone">Times are in {VIEWERS_ZONE}. Point at one to see it in UTC.</p>
        </>
      )}
      {data === null && error === null && <Loading />}
    </main>
  );
}

function Loading() {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading</span>
      {[1, 2, 3, 4, 5, 6].map((row) => (
        <div key={row} class="loading-row" />
      ))}
    </div>
  );
}
