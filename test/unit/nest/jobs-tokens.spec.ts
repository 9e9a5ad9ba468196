import 'reflect-metadata';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { JobClient } from '../../../lib/client/job-client.js';
import * as first from '../../../lib/nest/jobs.tokens.js';
import { JobQueue } from '../../../lib/queue/job-queue.js';
import { Worker } from '../../../lib/worker/worker.js';

describe('The injection tokens', () => {
  it('are the classes for the module without a name, and texts for others', () => {
    expect(first.getJobClientToken()).toBe(JobClient);
    expect(first.getWorkerToken()).toBe(Worker);
    expect(first.getJobQueueToken()).toBe(JobQueue);
    expect(first.getJobClientToken('mail')).toBe('JobClient:mail');
  });

  it('have no aliases where there is one copy of the package', () => {
    expect(first.aliasesOf('default')).toEqual([]);
  });

  describe('of a second copy of the package', () => {
    let second: typeof first;
    let SecondClient: unknown;

    beforeAll(async () => {
      jest.resetModules();
      second = await import('../../../lib/nest/jobs.tokens.js');
      ({ JobClient: SecondClient } = await import('../../../lib/client/job-client.js'));
    });

    it('are those of the first', () => {
      expect(SecondClient).not.toBe(JobClient);
      expect(second.getJobClientToken()).toBe(JobClient);
      expect(second.getWorkerToken()).toBe(Worker);
      expect(second.getJobQueueToken()).toBe(JobQueue);
    });

    it('are what the classes of the second lead to, in the modules of both', () => {
      for (const { aliasesOf } of [first, second]) {
        const aliases = aliasesOf('default');
        expect(aliases).toHaveLength(6);
        expect(aliases).toContainEqual({ provide: SecondClient, useExisting: JobClient });
        expect(aliasesOf('mail')).toEqual([]);
      }
    });
  });
});
