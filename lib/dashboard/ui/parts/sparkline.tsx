import { sparkPoints } from '../text/chart-shapes.js';
import { count } from '../text/numbers.js';

const WIDTH = 96;
const HEIGHT = 20;

/** How many in each minute of the last hour. */
export function Sparkline({ values }: { readonly values: readonly number[] }) {
  const sum = values.reduce((all, value) => all + value, 0);
  return (
    <svg
      class="spark"
      viewBox={`-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`}
      width={WIDTH}
      height={HEIGHT + 4}
      role="img"
      aria-label={`${count(sum)} ended in the last hour`}
    >
      <polyline points={sparkPoints(values, WIDTH, HEIGHT)} />
    </svg>
  );
}
