import type { JobPage } from '../../api/job-screens.js';
import { count } from '../text/numbers.js';
import { timeOfDay } from '../text/times.js';
import { Text } from './text.js';
import { Instant } from './time.js';

/** What the handler logged. */
export function JobLogs({ logs }: { readonly logs: JobPage['logs'] }) {
  if (logs.lines.length === 0) return null;
  return (
    <section class="panel">
      <h2>Log</h2>
      {logs.lost > 0 && <p class="muted">{count(logs.lost)} earlier lines were dropped.</p>}
      <ol class="log" tabIndex={0} aria-label="Lines of the log">
        {logs.lines.map(({ attempt, line, at, level, text }) => (
          <li key={`${attempt}.${line}`} class={`log-${level}`}>
            <Instant at={at} text={timeOfDay(at)} />
            <span class="log-level">{level}</span>
            <span class="log-attempt" title={`Attempt ${attempt}`}>
              #{attempt}
            </span>
            <Text text={text} class="log-text" />
          </li>
        ))}
      </ol>
    </section>
  );
}
