import type { InjectionToken } from '@nestjs/common';
import { JobClient } from '../client/job-client.js';
import { JobQueue } from '../queue/job-queue.js';
import { Worker } from '../worker/worker.js';

/** The name of the `JobsModule` that was given none. */
export const DEFAULT_NAME = 'default';

/** The injection token of the `JobClient` of a module: the class itself for the one without a name. */
export function getJobClientToken(name: string = DEFAULT_NAME): InjectionToken<JobClient> {
  return tokenOf(JobClient, name);
}

/** The injection token of the `Worker` of a module: the class itself for the one without a name. */
export function getWorkerToken(name: string = DEFAULT_NAME): InjectionToken<Worker> {
  return tokenOf(Worker, name);
}

/** The injection token of the `JobQueue` of a module: the class itself for the one without a name. */
export function getJobQueueToken(name: string = DEFAULT_NAME): InjectionToken<JobQueue> {
  return tokenOf(JobQueue, name);
}

/** The injection token of something that a module keeps to itself. */
export function internalToken(part: 'options' | 'handlers' | 'explorer' | 'runner', name: string): string {
  return `nestjs-typeorm-jobs:${part}:${name}`;
}

function tokenOf<T>(type: abstract new (...args: never[]) => T, name: string): InjectionToken<T> {
  return name === DEFAULT_NAME ? type : `${type.name}:${name}`;
}
