import type { Counts } from '../../api/job-screens.js';
import { filterOf, STATES, withValues } from '../text/job-query.js';
import { capped } from '../text/numbers.js';
import { usePolled } from '../page/polled.js';
import { Link } from './link.js';

/** A tab for each state, with how many jobs fulfil the conditions in it. */
export function StateTabs({ query }: { readonly query: URLSearchParams }) {
  const filter = new URLSearchParams(filterOf(query));
  filter.delete('state');
  const { data } = usePolled<Counts>(`api/counts?${filter.toString()}`);
  const chosen = query.getAll('state');
  const shown = STATES.filter(
    (state) => state !== 'blocked' || data?.states.blocked.value || chosen.includes(state),
  );
  return (
    <nav class="tabs" aria-label="States">
      <Link search={withValues(query, { state: null })} isCurrent={chosen.length === 0}>
        all
      </Link>
      {shown.map((state) => (
        <Link key={state} search={withValues(query, { state })} isCurrent={chosen.includes(state)}>
          <span class="tab-name">
            <span class={`dot state-${state}`} />
            {state}
          </span>{' '}
          <span class="tab-count">{data === null ? '' : capped(data.states[state])}</span>
        </Link>
      ))}
    </nav>
  );
}
