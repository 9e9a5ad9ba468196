import type { Report } from './stage.js';

/** A scenario that was played; without figures where its servers did not start. */
export type Line = {
  readonly name: string;
  readonly seconds: number;
  readonly failures: readonly string[];
} & Partial<Omit<Report, 'failures'>>;

const HEADS = [
  'scenario',
  'acknowledged',
  'lost / settled twice / refused',
  'started twice',
  'crashes counted',
  'enqueues refused (there)',
  'stale reads',
  'first ack, first claim',
  'warnings, errors',
  's',
];

/** The figures of all scenarios, as a table in Markdown. */
export function tableOf(lines: readonly Line[]): string {
  const rows = lines.map(({ name, counts, acknowledgedMs, claimedMs, warnings, errors, seconds }) =>
    counts === undefined
      ? [name, ...HEADS.slice(2).map(() => '?'), String(seconds)]
      : [
          name,
          String(counts.acknowledged),
          `${counts.lost} / ${counts.settledTwice} / ${counts.refused}`,
          String(counts.startedTwice),
          String(counts.crashes),
          `${counts.refusedEnqueues} (${counts.refusedButThere})`,
          counts.reads === 0 ? '–' : `${counts.stale} of ${counts.reads}`,
          `${duration(acknowledgedMs)}, ${duration(claimedMs)}`,
          `${warnings}, ${errors}`,
          String(seconds),
        ],
  );
  const widths = HEADS.map((head, column) =>
    Math.max(head.length, ...rows.map((cells) => cells[column]!.length)),
  );
  const lineOf = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [lineOf(HEADS), lineOf(widths.map((width) => '-'.repeat(width))), ...rows.map(lineOf)].join('\n');
}

function duration(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
