import { useState } from 'preact/hooks';
import type { Preview, ScheduleRow } from '../../api/screens.js';
import { get, messageOf } from '../page/server.js';
import { ruleWords } from '../text/schedule-rule.js';
import { ago, instant } from '../text/times.js';
import { visible } from '../text/visible-text.js';
import { Dialog } from './dialog.js';
import { Input } from './field.js';
import { Instant, VIEWERS_ZONE } from './time.js';
import { ProblemText } from './problem-text.js';

interface PreviewDialogProps {
  readonly schedule: ScheduleRow;
  readonly now: number;
  readonly onClose: () => void;
}

/** The next ticks of a schedule, and those that another rule would have. */
export function PreviewDialog({ schedule, now, onClose }: PreviewDialogProps) {
  const [ticks, setTicks] = useState(schedule.ticks);
  const [cron, setCron] = useState(schedule.cron ?? '');
  const [zone, setZone] = useState(schedule.timeZone ?? 'UTC');
  const [problem, setProblem] = useState<string | null>(null);
  const preview = (event: SubmitEvent) => {
    event.preventDefault();
    const query = new URLSearchParams({ cron, timeZone: zone });
    get<Preview>(`api/preview?${query.toString()}`).then(
      (answer) => {
        setTicks(answer.ticks);
        setProblem(null);
      },
      (error: unknown) => setProblem(messageOf(error)),
    );
  };
  return (
    <Dialog title={`Ticks of ${visible(schedule.name)}`} onClose={onClose}>
      <Ticks ticks={ticks} zone={zone} now={now} />
      <form onSubmit={preview}>
        <p class="hint below">Try another rule. Nothing is changed.{wordsOf(cron)}</p>
        <div class="fields">
          <Input
            label="Cron expression"
            value={cron}
            onValue={setCron}
            isRequired
            placeholder="0 9 * * 1-5"
          />
          <Input label="Time zone" value={zone} onValue={setZone} isRequired />
        </div>
        <ProblemText text={problem} />
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit">Show its ticks</button>
        </div>
      </form>
    </Dialog>
  );
}

function wordsOf(cron: string): string {
  return cron === '' ? '' : ` This one says: ${ruleWords({ cron, everyMs: null })}.`;
}

interface TicksProps {
  readonly ticks: readonly number[];
  readonly zone: string;
  readonly now: number;
}

function Ticks({ ticks, zone, now }: TicksProps) {
  const isElsewhere = zone !== VIEWERS_ZONE;
  if (ticks.length === 0) return <p class="muted">It has no further ticks.</p>;
  return (
    <table class="ticks">
      <thead>
        <tr>
          <th scope="col">{VIEWERS_ZONE}</th>
          {isElsewhere && <th scope="col">{zone}</th>}
          <th scope="col">From now</th>
        </tr>
      </thead>
      <tbody>
        {ticks.map((tick) => (
          <tr key={tick}>
            <td>
              <Instant at={tick} />
            </td>
            {isElsewhere && <td>{inZone(tick, zone)}</td>}
            <td>{ago(tick, now)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The viewer's browser may not know the zone that is being typed. */
function inZone(at: number, zone: string): string {
  try {
    return instant(at, zone);
  } catch {
    return '–';
  }
}
