import type { JobRow } from '../../api/job-screens.js';
import { attemptsOf, momentOf, progressText } from '../text/job-moment.js';
import { visible } from '../text/visible-text.js';
import type { Column } from './data-table.js';
import { jobSearch, Link } from './link.js';
import { StateBadge } from './state-badge.js';
import { Line, ShortId, Text } from './text.js';
import { Ago } from './time.js';

/** The columns of a list of jobs. @param now of the server's answer */
export function jobColumns(now: number): readonly Column<JobRow>[] {
  return [
    { label: 'Job', class: 'job-cell', cell: (job) => <JobName job={job} /> },
    { label: 'State', class: 'state-cell', cell: ({ state }) => <StateBadge state={state} /> },
    { label: 'When', class: 'when-cell', cell: (job) => <When job={job} now={now} /> },
    { label: 'Attempts', isNumber: true, class: 'attempts-cell', cell: attemptsOf },
    { label: 'Details', class: 'detail-cell', cell: (job) => <Detail job={job} /> },
  ];
}

function JobName({ job }: { readonly job: JobRow }) {
  return (
    <>
      <Link search={jobSearch(job.id)} class="job-link">
        <Line text={job.kind} />
      </Link>
      <span class="job-under">
        <ShortId id={job.id} />
        <Tags tags={job.tags} />
      </span>
    </>
  );
}

/** How many tags a row has room for. The page of the job has all of them. */
const MOST_TAGS = 3;

function Tags({ tags }: Pick<JobRow, 'tags'>) {
  const others = tags.slice(MOST_TAGS);
  return (
    <>
      {tags.slice(0, MOST_TAGS).map((tag) => (
        <span key={tag} class="tag">
          <Text text={tag} />
        </span>
      ))}
      {others.length > 0 && <span title={others.map(visible).join(', ')}>+{others.length}</span>}
    </>
  );
}

function When({ job, now }: { readonly job: JobRow; readonly now: number }) {
  const { label, at } = momentOf(job);
  return (
    <>
      <span class="muted">{label}</span> <Ago at={at} now={now} />
    </>
  );
}

/** The error, how far it is, or who runs it. */
function Detail({ job }: { readonly job: JobRow }) {
  const progress = progressText(job.progress);
  if (job.state === 'running' || job.state === 'stopping')
    return (
      <Line
        text={[progress, job.lockedBy === null ? null : `on ${job.lockedBy}`]
          .filter((part) => part !== null)
          .join(' · ')}
      />
    );
  if (job.error !== null) return <Line text={job.error} class="error-text" />;
  if (job.schedule !== null) return <Line text={`by schedule ${job.schedule}`} class="muted" />;
  return job.uniqueKey === null ? null : <Line text={`key ${job.uniqueKey}`} class="muted" />;
}
