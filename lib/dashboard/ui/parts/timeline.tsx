import { useState } from 'preact/hooks';
import type { JobPage } from '../../api/job-screens.js';
import { plural } from '../text/numbers.js';
import { timelineOf, type TimelineEntry } from '../text/timeline.js';
import { duration } from '../text/times.js';
import { Text } from './text.js';
import { Moment } from './time.js';

/** How many of the last entries are shown beside the first: a job with many attempts has its payload below them. */
const MOST_LAST = 8;

/** What happened to a job, from its beginning on. Of many entries those in the middle are shown when asked for. */
export function Timeline({ page }: { readonly page: JobPage }) {
  const [isOpen, setOpen] = useState(false);
  const entries = timelineOf(page);
  const last = entries.length - MOST_LAST;
  const isFolded = !isOpen && last > 2;
  const show = (shown: readonly TimelineEntry[]) =>
    shown.map((entry) => <Entry key={entry.key} entry={entry} now={page.now} />);
  return (
    <ol class="timeline">
      {show(isFolded ? entries.slice(0, 1) : entries)}
      {isFolded && (
        <li key="fold">
          <button type="button" onClick={() => setOpen(true)}>
            Show {plural(last - 1, 'entry', 'entries')} in between
          </button>
        </li>
      )}
      {isFolded && show(entries.slice(last))}
    </ol>
  );
}

function Entry({ entry, now }: { readonly entry: TimelineEntry; readonly now: number }) {
  const { title, at, tone, tookMs, worker, text } = entry;
  return (
    <li class={`state-${tone}`}>
      <p class="timeline-title">{title}</p>
      <p class="timeline-facts">
        <Moment at={at} now={now} />
        {tookMs !== null && <span class="muted"> · took {duration(tookMs)}</span>}
        {worker !== null && (
          <span class="muted">
            {' '}
            · on <Text text={worker} />
          </span>
        )}
      </p>
      {text !== null && <ErrorText text={text} />}
    </li>
  );
}

/** The first line; the stack when it is opened. */
function ErrorText({ text }: { readonly text: string }) {
  const [first = '', ...stack] = text.split('\n');
  if (stack.length === 0)
    return (
      <p class="error-text">
        <Text text={first} />
      </p>
    );
  return (
    <details class="stack">
      <summary class="error-text">
        <Text text={first} />
      </summary>
      <pre tabIndex={0}>
        <Text text={stack.join('\n')} />
      </pre>
    </details>
  );
}
