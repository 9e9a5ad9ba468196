import type { JobRow, Jobs as JobsAnswer } from '../../api/job-screens.js';
import type { Form } from '../../api/screens.js';
import { usePolled } from '../page/polled.js';
import type { ScreenProps } from '../page/screen-props.js';
import { mayAct } from '../page/session.js';
import { BulkBar } from '../parts/bulk-bar.js';
import { DataTable } from '../parts/data-table.js';
import { Empty } from '../parts/empty.js';
import { jobColumns } from '../parts/job-columns.js';
import { JobSearch } from '../parts/job-search.js';
import { Link } from '../parts/link.js';
import { Pager } from '../parts/pager.js';
import { Screen } from '../parts/screen.js';
import { useSelection } from '../parts/selection.js';
import { StateTabs } from '../parts/state-tabs.js';
import { filterOf, pageOf, withValues } from '../text/job-query.js';
import { count } from '../text/numbers.js';

const PAGE_SIZE = 50;

/** The jobs that fulfil the conditions of the address, and what can be done to them. */
export function Jobs({ query }: ScreenProps) {
  const polled = usePolled<JobsAnswer>(`api/jobs?${pageOf(query, PAGE_SIZE)}`);
  const form = usePolled<Form>('api/form', { isOnce: true });
  return (
    <Screen title="Jobs" aside={<JobsAside query={query} />} polled={polled}>
      {(answer) => (
        <>
          <JobSearch query={query} kinds={form.data?.kinds ?? []} />
          <StateTabs query={query} />
          <JobList answer={answer} query={query} onChanged={polled.reload} />
        </>
      )}
    </Screen>
  );
}

function JobsAside({ query }: ScreenProps) {
  const isOldest = query.get('order') === 'oldest';
  return (
    <>
      <Link class="button" search={withValues(query, { order: isOldest ? null : 'oldest' })}>
        {isOldest ? 'Newest first' : 'Oldest first'}
      </Link>
      {mayAct && (
        <Link class="button primary" search="view=new-job">
          New job
        </Link>
      )}
    </>
  );
}

interface JobListProps extends ScreenProps {
  readonly answer: JobsAnswer;
  readonly onChanged: () => void;
}

function JobList({ answer, query, onChanged }: JobListProps) {
  const { jobs, now, next } = answer;
  const selection = useSelection(jobs.map(({ id }) => id));
  if (jobs.length === 0) return <NoJobs answer={answer} query={query} />;
  return (
    <>
      {mayAct && <BulkBar selection={selection} jobs={jobs} filter={filterOf(query)} onChanged={onChanged} />}
      <DataTable
        caption="Jobs"
        class="jobs"
        columns={jobColumns(now)}
        rows={jobs}
        keyOf={(job) => job.id}
        nameOf={nameOf}
        selection={mayAct ? selection : undefined}
      />
      <Searched answer={answer} />
      <Pager query={query} next={next} nextLabel={answer.complete ? 'Next page' : 'Search on'} />
    </>
  );
}

function NoJobs({ answer, query }: Omit<JobListProps, 'onChanged'>) {
  const isFiltered = filterOf(query) !== '';
  return (
    <>
      <Empty title={titleOf(answer, isFiltered)}>
        {isFiltered ? (
          <Link search="view=jobs">Show all jobs</Link>
        ) : (
          <p>
            Jobs appear here as soon as the application calls <code>JobClient.enqueue</code>.
          </p>
        )}
      </Empty>
      <Searched answer={answer} />
      <Pager query={query} next={answer.next} nextLabel="Search on" />
    </>
  );
}

/** Where the search ended before the page was full. */
function Searched({ answer }: { readonly answer: JobsAnswer }) {
  if (answer.complete) return null;
  return (
    <p class="muted below">
      {count(answer.searched)} jobs were looked at for this page. There may be more further on.
    </p>
  );
}

function titleOf(answer: JobsAnswer, isFiltered: boolean): string {
  if (!answer.complete) return 'No job found so far';
  return isFiltered ? 'No job fulfils these conditions' : 'There are no jobs yet';
}

function nameOf(job: JobRow): string {
  return `${job.kind} ${job.id}`;
}
