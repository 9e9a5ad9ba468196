import type { MemoryJobQueue } from '../../lib/storage/memory/memory-job-queue.js';
import { SqlStore, type Store } from '../support/store.js';

/** How many jobs there are. */
export async function jobCount(store: Store): Promise<number> {
  if (!(store instanceof SqlStore)) return (store.queue as MemoryJobQueue).list().length;
  const [row] = await store.sql('SELECT count(*) AS count FROM nest_jobs');
  return Number(row!.count);
}
