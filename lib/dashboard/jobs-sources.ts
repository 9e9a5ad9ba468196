import type { JobClient } from '../client/job-client.js';
import type { JobKinds } from '../client/job-kinds.js';
import type { JobSchedules } from '../client/job-schedules.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { PayloadForms } from './values/payload-form.js';
import type { Redaction } from './values/redaction.js';
import type { TraceLinks } from './values/trace-links.js';
import type { BoundedReads } from './values/bounded.js';

/** What the screens are made from, and what actions change. */
export interface JobsSources {
  readonly jobs: JobClient;
  readonly kinds: JobKinds;
  readonly schedules: JobSchedules;
  /** For what the clients do not tell: counts of the past, the audit, errors without payloads. */
  readonly queue: JobQueue;
  readonly forms: PayloadForms;
  readonly redaction: Redaction;
  readonly traceLinks: TraceLinks;
  readonly reads: BoundedReads;
}
