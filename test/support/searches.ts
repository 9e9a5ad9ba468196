import type { JobConditions } from '../../lib/job/job-conditions.js';
import { KIND } from './store.js';

export const IDS = Array.from({ length: 10 }, (_, n) => `job ${n}`);

/** All that a search can ask for, but for ids. */
export const CONDITIONS: JobConditions = {
  kinds: [KIND],
  states: ['failed', 'ready'],
  labels: ['red', 'blue'],
  uniqueKey: 'k',
  createdAt: { afterMs: 0, beforeMs: 1 },
  runAt: { afterMs: 0, beforeMs: null },
  updatedAt: { afterMs: null, beforeMs: 1 },
  error: 'no',
  payload: [{ path: ['a'], value: 1 }],
};
/** What one statement of a search may read. */
export const PARTS = [
  { label: null, after: null, isDescending: true, rows: 20_000 },
  { label: null, after: 'row 5', isDescending: false, rows: 200 },
  { label: 'red', after: null, isDescending: false, rows: 20_000 },
  { label: 'red', after: 'row 5', isDescending: true, rows: 200 },
  { ids: IDS, isDescending: true },
] as const;
