import type { Finding, Inspection, StorageCode } from '../../queue/inspector.js';
import type { Jobs } from '../jobs.js';
import type { DoctorBounds } from './bounds.js';
import type { WorkCode } from './work-codes.js';
import { workFindings } from './work-findings.js';
import { lookAtWork } from './work-look.js';
import { dataSourceFindings } from './worker-findings.js';

export type DoctorFinding = Finding<StorageCode | WorkCode>;

/** What the doctor has found: errors first. */
export interface Diagnosis extends Omit<Inspection, 'findings'> {
  /** How many workers are live; null where that could not be read. */
  readonly workers: number | null;
  readonly findings: readonly DoctorFinding[];
}

/** Looks at the database, and at the work in it where that can be read. It changes nothing. */
export async function diagnose(jobs: Jobs, bounds: DoctorBounds): Promise<Diagnosis> {
  const inspection = await jobs.queue.inspector.inspect(bounds);
  const ofDataSource = dataSourceFindings(jobs.dataSource);
  if (!inspection.isUsable)
    return { ...inspection, workers: null, findings: sorted([...inspection.findings, ...ofDataSource]) };
  const look = await lookAtWork(jobs, bounds);
  const findings = [...inspection.findings, ...workFindings(look, bounds), ...ofDataSource];
  return { ...inspection, workers: look.workers.length, findings: sorted(findings) };
}

function sorted(findings: readonly DoctorFinding[]): DoctorFinding[] {
  return [
    ...findings.filter(({ severity }) => severity === 'error'),
    ...findings.filter(({ severity }) => severity === 'warning'),
  ];
}
