import type { ScheduleRow } from '../../api/screens.js';
import { count } from '../text/numbers.js';
import { ago, shortInstant } from '../text/times.js';
import { ruleWords } from '../text/schedule-rule.js';
import type { Column } from './data-table.js';
import { jobSearch, jobsSearch, Link } from './link.js';
import { Badge } from './state-badge.js';
import { Line, NameText, Text } from './text.js';
import { Ago, Instant } from './time.js';

/** The columns of a list of schedules. @param now of the server's answer */
export function scheduleColumns(now: number): readonly Column<ScheduleRow>[] {
  return [
    { label: 'Schedule', class: 'kind-cell', cell: (schedule) => <Name schedule={schedule} /> },
    { label: 'Rule', class: 'rule-cell', cell: (schedule) => <Rule schedule={schedule} /> },
    { label: 'State', class: 'state-cell', cell: (schedule) => <State schedule={schedule} now={now} /> },
    {
      label: 'Next',
      class: 'next-cell',
      cell: ({ nextAt }) => (nextAt === null ? <span class="muted">–</span> : <Next at={nextAt} now={now} />),
    },
    { label: 'Last', class: 'next-cell', cell: (schedule) => <Last schedule={schedule} now={now} /> },
  ];
}

function Name({ schedule: { name, kind } }: { readonly schedule: ScheduleRow }) {
  return (
    <>
      <Link search={jobsSearch({ schedule: name })} class="job-link">
        <NameText text={name} />
      </Link>
      {kind !== name && (
        <span class="job-under muted">
          <Line text={kind} />
        </span>
      )}
    </>
  );
}

function Rule({ schedule }: { readonly schedule: ScheduleRow }) {
  const { cron, timeZone } = schedule;
  return (
    <>
      <span>{ruleWords(schedule)}</span>
      {cron !== null && (
        <span class="job-under muted">
          <code>{cron}</code> {timeZone ?? 'UTC'}
        </span>
      )}
    </>
  );
}

function State({ schedule, now }: ScheduleTimeProps) {
  const { skipped } = schedule;
  return (
    <>
      <Activity schedule={schedule} now={now} />
      {skipped > 0 && (
        <span class="cell-under" title="Ticks that made no job">
          {count(skipped)} skipped
        </span>
      )}
    </>
  );
}

function Activity({ schedule: { paused, enabled, overdue }, now }: ScheduleTimeProps) {
  if (paused !== null)
    return (
      <>
        <Badge tone="warning" text="paused" />
        <span class="cell-under">
          <Ago at={paused.since} now={now} /> {paused.reason !== null && <Text text={paused.reason} />}
        </span>
      </>
    );
  if (!enabled) return <Badge tone="plain" text="off" />;
  return overdue ? <Badge tone="error" text="overdue" /> : <Badge tone="good" text="on" />;
}

interface ScheduleTimeProps {
  readonly schedule: ScheduleRow;
  readonly now: number;
}

function Next({ at, now }: { readonly at: number; readonly now: number }) {
  return (
    <>
      <Instant at={at} text={shortInstant(at, now)} />
      <span class="cell-under">{ago(at, now)}</span>
    </>
  );
}

function Last({ schedule: { lastTick, lastJobId }, now }: ScheduleTimeProps) {
  if (lastTick === null) return <span class="muted">never</span>;
  if (lastJobId === null) return <Ago at={lastTick} now={now} />;
  return (
    <Link search={jobSearch(lastJobId)}>
      <Ago at={lastTick} now={now} />
    </Link>
  );
}
