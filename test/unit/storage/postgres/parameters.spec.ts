import { describe, expect, it } from '@jest/globals';
import { JobEncoder } from '../../../../lib/job/encode-job.js';
import type { Outcome } from '../../../../lib/job/outcome.js';
import { bindJob, bindJobs } from '../../../../lib/storage/postgres/insert.js';
import { bindOutcomes } from '../../../../lib/storage/postgres/settle.js';

describe('parameters of statements on PostgreSQL', () => {
  /* pg-native, which TypeORM takes where it is installed, cuts a Buffer at its first zero. */
  it('have no Buffer for bytes, but their text', () => {
    const bytes = new Uint8Array([1, 0, 255]);
    const job = new JobEncoder(1_000).encode({ kind: 'k', payload: bytes });
    const outcome: Outcome = { type: 'done', result: { json: null, bytes } };
    expect(bindJob(job)).toContain('\\x0100ff');
    for (const parameters of [bindJobs([job]), bindOutcomes([outcome])])
      expect(parameters).toContain('{"\\\\x0100ff"}');
  });
});
