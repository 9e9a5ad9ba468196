import type { Overview as OverviewData } from '../../api/screens.js';
import { useLiveOverview, type LiveSource } from '../page/live.js';
import { DataTable } from '../parts/data-table.js';
import { Empty } from '../parts/empty.js';
import { Figures } from '../parts/figures.js';
import { kindColumns } from '../parts/kind-columns.js';
import { ProblemList } from '../parts/problem-list.js';
import { RateChart } from '../parts/rate-chart.js';
import { Screen } from '../parts/screen.js';
import { Badge } from '../parts/state-badge.js';

/** How things are: what needs somebody, how much waits and runs, and how it went. */
export function Overview() {
  const live = useLiveOverview();
  return (
    <Screen title="Overview" aside={<LiveMark source={live.source} />} polled={live}>
      {(overview) => (
        <>
          <ProblemList problems={overview.problems} />
          <Figures overview={overview} />
          {overview.kinds.length === 0 ? <NoKinds /> : <Work overview={overview} />}
        </>
      )}
    </Screen>
  );
}

function NoKinds() {
  return (
    <Empty title="No jobs yet">
      <p>
        Decorate a method with <code>@JobHandler('kind')</code>, inject <code>JobClient</code> and call{' '}
        <code>enqueue</code>. What happens then is shown here.
      </p>
    </Empty>
  );
}

/** How it went in the last hour and day, and how each kind is now. */
function Work({ overview: { minutes, hours, kinds, now } }: { readonly overview: OverviewData }) {
  return (
    <>
      <div class="charts">
        <RateChart title="Last hour" points={minutes} />
        <RateChart title="Last day" points={hours} />
      </div>
      <h2 class="section-title">Kinds</h2>
      <DataTable
        caption="Kinds"
        class="kinds"
        columns={kindColumns(now)}
        rows={kinds}
        keyOf={({ kind }) => kind}
      />
    </>
  );
}

function LiveMark({ source }: { readonly source: LiveSource }) {
  if (source === 'connecting') return null;
  return source === 'stream' ? <Badge tone="good" text="live" /> : <Badge tone="plain" text="every 5 s" />;
}
