import type { JobPage } from '../../api/job-screens.js';
import { timelineOf, type TimelineEntry } from '../text/timeline.js';
import { duration } from '../text/times.js';
import { Text } from './text.js';
import { Moment } from './time.js';

/** What happened to a job, from its beginning on. */
export function Timeline({ page }: { readonly page: JobPage }) {
  return (
    <ol class="timeline">
      {timelineOf(page).map((entry) => (
        <Entry key={entry.key} entry={entry} now={page.now} />
      ))}
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
