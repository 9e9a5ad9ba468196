import type { ComponentChildren } from 'preact';
import type { JobPage } from '../../api/job-screens.js';
import { attemptsOf, progressText } from '../text/job-moment.js';
import { CopyButton } from './copy-button.js';
import { jobsSearch, Link } from './link.js';
import { Text } from './text.js';
import { Moment } from './time.js';

/** What is known of a job, as a list; what is not set is left out. */
export function JobFacts({ page: { job, now } }: { readonly page: JobPage }) {
  const time = (at: number | null) => (at === null ? null : <Moment at={at} now={now} />);
  const facts: readonly (readonly [label: string, value: ComponentChildren])[] = [
    ['Id', <CopiedText key="id" text={job.id} name="id" />],
    ['Progress', progressText(job.progress)],
    ['Attempts', attemptsOf(job)],
    ['Crashes', job.crashes === 0 ? null : job.crashes],
    ['Priority', job.priority],
    ['Created', time(job.createdAt)],
    ['Runs at', time(job.runAt)],
    ['Last attempt', time(job.lastAttemptAt)],
    ['Changed', time(job.updatedAt)],
    ['Worker', job.lockedBy === null ? null : <Text text={job.lockedBy} />],
    ['Lease until', time(job.lockedUntil)],
    ['Schedule', job.schedule === null ? null : <ScheduleLink name={job.schedule} />],
    ['Tick', time(job.tick)],
    ['Unique key', job.uniqueKey === null ? null : <Text text={job.uniqueKey} class="mono" />],
    ['Tags', job.tags.length === 0 ? null : <Tags tags={job.tags} />],
    ['Payload version', job.payloadVersion],
    ['Trace', job.traceId === null ? null : <Trace id={job.traceId} url={job.traceUrl} />],
  ];
  return (
    <section class="panel" aria-label="Facts">
      <dl class="facts">
        {facts
          .filter(([, value]) => value !== null)
          .map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

interface CopiedTextProps {
  readonly text: string;
  readonly name: string;
  /** What is shown of it. Default: the text. */
  readonly children?: ComponentChildren;
}

function CopiedText({ text, name, children }: CopiedTextProps) {
  return (
    <span class="copied-text">
      {children ?? <Text text={text} class="mono" />} <CopyButton text={text} name={name} />
    </span>
  );
}

/** The only link that leads out of the dashboard. What is there learns nothing of where it was followed. */
function Trace({ id, url }: { readonly id: string; readonly url: string | null }) {
  if (url === null) return <CopiedText text={id} name="trace id" />;
  return (
    <CopiedText text={id} name="trace id">
      <a
        class="mono"
        href={url}
        target="_blank"
        rel="noreferrer noopener"
        title="Open the trace in another tab"
      >
        <Text text={id} />
      </a>
    </CopiedText>
  );
}

function ScheduleLink({ name }: { readonly name: string }) {
  return (
    <Link search={jobsSearch({ schedule: name })} title="The jobs of this schedule">
      <Text text={name} />
    </Link>
  );
}

function Tags({ tags }: { readonly tags: readonly string[] }) {
  return (
    <span class="tags">
      {tags.map((tag) => (
        <Link key={tag} class="tag" search={jobsSearch({ tag })}>
          <Text text={tag} />
        </Link>
      ))}
    </span>
  );
}
