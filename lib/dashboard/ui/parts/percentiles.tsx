import type { PercentileRow } from '../../api/screens.js';
import { duration } from '../text/times.js';

/** Half of the jobs took no longer than the first, 95 of 100 no longer than the second. */
export function Percentiles({ value }: { readonly value: PercentileRow | null }) {
  if (value === null) return <span class="muted">–</span>;
  return (
    <span title={`p50 ${duration(value.p50)}, p95 ${duration(value.p95)}, p99 ${duration(value.p99)}`}>
      {duration(value.p50)} <span class="muted">/ {duration(value.p95)}</span>
    </span>
  );
}
