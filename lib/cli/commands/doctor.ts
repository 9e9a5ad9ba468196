import type { Command } from '../command.js';
import { DEFAULT_BOUNDS, type DoctorBounds } from '../doctor/bounds.js';
import { diagnose, type Diagnosis, type DoctorFinding } from '../doctor/diagnose.js';
import { EXIT } from '../exit-codes.js';
import { countText, jsonText } from '../output/format.js';
import { wrapped } from '../output/wrap.js';
import type { Values } from '../values.js';

export const doctor: Command = {
  name: 'doctor',
  summary: 'Look for what is wrong with the database, the workers and the schedules, and tell what to do.',
  operands: '',
  minOperands: 0,
  maxOperands: 0,
  options: {
    'max-ready': { type: 'string', value: '<time>', help: 'How long a ready job may wait. Default 5m.' },
    'max-overdue': { type: 'string', value: '<time>', help: 'How late a schedule may be. Default 1m.' },
    'max-transaction': {
      type: 'string',
      value: '<time>',
      help: 'How long a transaction may be open. Default 5m.',
    },
  },
  worksWithoutTable: true,
  async run({ jobs, values, terminal, isJson }) {
    const diagnosis = await diagnose(jobs, boundsOf(values));
    terminal.print(isJson ? jsonText(diagnosis) : page(diagnosis, terminal.columns));
    return diagnosis.findings.length === 0 ? EXIT.ok : EXIT.trouble;
  },
};

function boundsOf(values: Values): DoctorBounds {
  const { maxReadyMs, maxOverdueMs, longTransactionMs, ...others } = DEFAULT_BOUNDS;
  return {
    ...others,
    maxReadyMs: values.duration('max-ready') ?? maxReadyMs,
    maxOverdueMs: values.duration('max-overdue') ?? maxOverdueMs,
    longTransactionMs: values.duration('max-transaction') ?? longTransactionMs,
  };
}

function page(
  { server, table, schemaVersion, workers, findings }: Diagnosis,
  width: number | undefined,
): string {
  const state = schemaVersion === null || schemaVersion === 0 ? '' : ` of version ${schemaVersion}`;
  const live =
    workers === null ? '' : `, ${workers === 0 ? 'no live worker' : countText(workers, 'live worker')}`;
  const head = `${server}, table ${table}${state}${live}`;
  if (findings.length === 0) return `${head}\n\nNo trouble found.`;
  const count = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
  const sums = [
    ...(count('error') > 0 ? [countText(count('error'), 'error')] : []),
    ...(count('warning') > 0 ? [countText(count('warning'), 'warning')] : []),
  ].join(', ');
  return [head, ...findings.map((finding) => paragraph(finding, width)), sums].join('\n\n');
}

function paragraph({ code, severity, trouble, remedy }: DoctorFinding, width: number | undefined): string {
  const mark = severity === 'error' ? 'ERROR  ' : 'WARNING';
  return [`${mark} ${code}`, wrapped(trouble, '  ', width), wrapped(`→ ${remedy}`, '  ', width)].join('\n');
}
