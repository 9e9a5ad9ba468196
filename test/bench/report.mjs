import { CONTENDERS } from './contenders.mjs';
import { TARGETS } from './targets.mjs';

/** The columns of the table: the metric, its heading, and its format. */
const COLUMNS = [
  ['enqueue-1', 'enqueue, 1 caller', perSecond],
  ['enqueue-16', 'enqueue, 16 callers', perSecond],
  ['enqueue-64', 'enqueue, 64 callers', perSecond],
  ['bulk', 'bulk of 1000', perSecond],
  ['transaction', 'in own transaction', perSecond],
  ['drain', 'drain', perSecond],
  ['drain-2', 'drain, 2 processes', perSecond],
  ['store-cpu', 'store CPU / 10,000', seconds],
  ['worker-cpu', 'worker CPU / 10,000', seconds],
  ['latency-across-p50', 'across processes p50', millis],
  ['latency-across-p99', 'p99', millis],
  ['latency-within-p50', 'within a process p50', millis],
  ['latency-within-p99', 'p99', millis],
  ['due-across-p50', 'due, across processes p50', millis],
  ['due-across-p99', 'p99', millis],
  ['due-within-p50', 'due, within a process p50', millis],
  ['due-within-p99', 'p99', millis],
];

export function table(records) {
  const columns = COLUMNS.filter(([metric]) =>
    Object.keys(CONTENDERS).some((contender) => records.of(metric, contender).length > 0),
  );
  const rows = Object.entries(CONTENDERS)
    .filter(([contender]) => columns.some(([metric]) => records.of(metric, contender).length > 0))
    .map(([contender, { label }]) => [
      label,
      ...columns.map(([metric, , write]) => write(records.median(metric, contender))),
    ]);
  if (rows.length === 0) return '';
  return markdown(['', ...columns.map(([, heading]) => heading)], rows);
}

/** @returns the targets that were measured, with the values reached */
export function reached(records) {
  return TARGETS.map((target) => ({ ...target, reached: target.value(records) })).filter(
    (target) => target.reached !== null,
  );
}

export function targetTable(targets) {
  const rows = targets.map(({ name, sign, limit, reached: value, isMet }) => [
    name,
    `${sign} ${limit}`,
    value.toFixed(2),
    isMet(value) ? 'met' : 'MISSED',
  ]);
  return markdown(['target', 'wanted', 'reached', ''], rows);
}

function markdown(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function perSecond(value) {
  return value === null ? '–' : `${Math.round(value).toLocaleString('en')}/s`;
}

function seconds(value) {
  return value === null ? '–' : `${(value / 1000).toFixed(2)} s`;
}

function millis(value) {
  return value === null ? '–' : `${value.toFixed(2)} ms`;
}
