import { useState } from 'preact/hooks';
import type { Actions } from '../../api/actions.js';
import type { JobPage } from '../../api/job-screens.js';
import { usePolled } from '../page/polled.js';
import type { ScreenProps } from '../page/screen-props.js';
import { act, messageOf } from '../page/server.js';
import { mayAct, session } from '../page/session.js';
import { showToast } from '../page/toasts.js';
import { JobButtons } from '../parts/job-buttons.js';
import { JobFacts } from '../parts/job-facts.js';
import { JobLogs } from '../parts/job-logs.js';
import { jobSearch, jobsSearch, Link } from '../parts/link.js';
import { Screen } from '../parts/screen.js';
import { ShownValue } from '../parts/shown-value.js';
import { StateBadge } from '../parts/state-badge.js';
import { Text } from '../parts/text.js';
import { Timeline } from '../parts/timeline.js';

type Revealed = Actions['reveal'][1];

/** One job: why it is where it is, what happened to it, and what it holds. */
export function JobDetails({ query }: ScreenProps) {
  const id = query.get('id') ?? '';
  const polled = usePolled<JobPage>(`api/job?${new URLSearchParams({ id }).toString()}`);
  const [revealed, setRevealed] = useState<Revealed | null>(null);
  const page = polled.data === null ? null : { ...polled.data, job: { ...polled.data.job, ...revealed } };
  const changed = () => {
    setRevealed(null); // it is what the job was
    polled.reload();
  };
  const reveal = () => {
    act('reveal', { id }).then(setRevealed, (error: unknown) =>
      showToast({ tone: 'error', text: messageOf(error) }),
    );
  };
  return (
    <Screen
      title={page?.job.kind ?? 'Job'}
      heading={page === null ? 'Job' : <Heading page={page} />}
      aside={page !== null && mayAct ? <JobButtons page={page} onChanged={changed} /> : undefined}
      polled={{ ...polled, data: page }}
    >
      {(shown) => <Details page={shown} onReveal={session.may.reveal ? reveal : undefined} />}
    </Screen>
  );
}

interface DetailsProps {
  readonly page: JobPage;
  /** Undefined where this viewer may not reveal what is hidden. */
  readonly onReveal: (() => void) | undefined;
}

function Details({ page, onReveal }: DetailsProps) {
  const { payload, result, carried } = page.job;
  return (
    <>
      <Neighbours page={page} />
      <div class="job-page">
        <div class="job-main">
          <Explanation page={page} />
          <section class="panel">
            <h2>Timeline</h2>
            <Timeline page={page} />
          </section>
          <ShownValue title="Payload" value={payload} onReveal={onReveal} />
          <ShownValue title="Result" value={result} onReveal={onReveal} />
          <ShownValue title="Carried" value={carried} onReveal={onReveal} isOpen={false} />
          <JobLogs logs={page.logs} />
        </div>
        <JobFacts page={page} />
      </div>
    </>
  );
}

function Heading({ page: { job } }: { readonly page: JobPage }) {
  return (
    <>
      <Text text={job.kind} /> <StateBadge state={job.state} />
    </>
  );
}

function Neighbours({ page: { job, neighbours } }: { readonly page: JobPage }) {
  return (
    <nav class="neighbours" aria-label="Jobs of this kind">
      {neighbours.older !== null && <Link search={jobSearch(neighbours.older)}>← Older</Link>}
      <Link search={jobsSearch({ kind: job.kind })}>All of this kind</Link>
      {neighbours.newer !== null && <Link search={jobSearch(neighbours.newer)}>Newer →</Link>}
    </nav>
  );
}

function Explanation({ page: { explain } }: { readonly page: JobPage }) {
  return (
    <section class="panel explain">
      <h2>Why it is here</h2>
      {explain.map(({ code, text }) => (
        <p key={code}>
          <Text text={text} />
        </p>
      ))}
    </section>
  );
}
