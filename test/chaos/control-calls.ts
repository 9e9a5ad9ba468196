import type { AuditRecord, Control, ControlledRecord, EnqueuerRecord } from './records.js';

/** Brings calls and answers together. */
export function controlsOf(records: readonly EnqueuerRecord[]): Control[] {
  const answers = new Map<string, ControlledRecord>();
  for (const record of records) if (record.type === 'controlled') answers.set(record.call, record);
  return records
    .filter((record) => record.type === 'control')
    .map(({ call, at, what, id }) => {
      const { how, at: answeredAt } = answers.get(call) ?? { how: 'unknown' as const, at: Infinity };
      return { call, what, id, from: at, until: how === 'unknown' ? Infinity : answeredAt, how };
    });
}

/** Whether a change makes a job ready that had ended without success, as `retry` does. */
export function isReopening({ before, after }: AuditRecord): boolean {
  const isEnded = before !== undefined && ['FAILED', 'PANIC', 'CANCELLED'].includes(before.status);
  return isEnded && after.status === 'PENDING' && after.worker === null;
}
