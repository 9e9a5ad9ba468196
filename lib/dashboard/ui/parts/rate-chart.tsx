import { useState } from 'preact/hooks';
import type { RatePoint } from '../../api/screens.js';
import { niceTop, OUTCOMES, partsOf, totalOf } from '../text/chart-shapes.js';
import { compact, count } from '../text/numbers.js';
import { timeOfDay } from '../text/times.js';

const BAR = 10;
const HEIGHT = 120;

interface RateChartProps {
  readonly title: string;
  readonly points: readonly RatePoint[];
}

/** A bar for each minute or hour, and in it a part for each outcome. The line below tells the bar that is pointed at, or all. */
export function RateChart({ title, points }: RateChartProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const top = niceTop(Math.max(0, ...points.map(totalOf)));
  const point = pointed === null ? undefined : points[pointed];
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <Legend points={point === undefined ? points : [point]} />
      </figcaption>
      <div class="chart-plot">
        <span class="chart-top">{compact(top)}</span>
        <svg
          viewBox={`0 0 ${points.length * BAR} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title}: ${sentence(points)}`}
          onMouseLeave={() => setPointed(null)}
        >
          {points.map((each, index) => (
            <Bar key={each.at} point={each} index={index} top={top} onPoint={setPointed} />
          ))}
        </svg>
      </div>
      <div class="chart-axis">
        <span>{edge(points[0])}</span>
        <span class="chart-pointed">{edge(point)}</span>
        <span>{edge(points.at(-1))}</span>
      </div>
    </figure>
  );
}

interface BarProps {
  readonly point: RatePoint;
  readonly index: number;
  readonly top: number;
  readonly onPoint: (index: number) => void;
}

function Bar({ point, index, top, onPoint }: BarProps) {
  return (
    <g onMouseEnter={() => onPoint(index)}>
      <rect class="chart-hit" x={index * BAR} y={0} width={BAR} height={HEIGHT} />
      {partsOf(point, top, HEIGHT).map(({ outcome, y, height }) => (
        <rect
          key={outcome}
          class={`fill-${outcome}`}
          x={index * BAR + 1}
          y={y}
          width={BAR - 2}
          height={height}
        />
      ))}
    </g>
  );
}

function Legend({ points }: { readonly points: readonly RatePoint[] }) {
  return (
    <dl class="legend">
      {OUTCOMES.map((outcome) => (
        <div key={outcome}>
          <dt class={`legend-${outcome}`}>{outcome}</dt>
          <dd>{compact(sumOf(points, outcome))}</dd>
        </div>
      ))}
    </dl>
  );
}

function sumOf(points: readonly RatePoint[], outcome: (typeof OUTCOMES)[number]): number {
  return points.reduce((sum, { counts }) => sum + counts[outcome], 0);
}

function sentence(points: readonly RatePoint[]): string {
  return OUTCOMES.map((outcome) => `${count(sumOf(points, outcome))} ${outcome}`).join(', ');
}

function edge(point: RatePoint | undefined): string {
  return point === undefined ? '' : timeOfDay(point.at).slice(0, 5);
}
