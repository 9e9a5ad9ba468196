import type { ExistingProvider, InjectionToken } from '@nestjs/common';
import { JobClient } from '../client/job-client.js';
import { sharedByCopies } from '../job/copies.js';
import { JobQueue } from '../queue/job-queue.js';
import { Worker } from '../worker/worker.js';

/** The name of the `JobsModule` that was given none. */
export const DEFAULT_NAME = 'default';

/** What users inject. */
const INJECTABLE = { JobClient, JobQueue, Worker };

/**
 * Nest takes a class for an injection token, and each copy of this package has classes of its own. Those of the first
 * copy are the tokens in every copy. The others lead to them: see `aliasesOf`.
 */
const copies = sharedByCopies('injectable', (): (typeof INJECTABLE)[] => []);
copies.push(INJECTABLE);

/** The injection token of the `JobClient` of a module. For the one without a name it is the class itself. */
export function getJobClientToken(name: string = DEFAULT_NAME): InjectionToken<JobClient> {
  return tokenOf('JobClient', name);
}

/** The injection token of the `Worker` of a module. For the one without a name it is the class itself. */
export function getWorkerToken(name: string = DEFAULT_NAME): InjectionToken<Worker> {
  return tokenOf('Worker', name);
}

/** The injection token of the `JobQueue` of a module. For the one without a name it is the class itself. */
export function getJobQueueToken(name: string = DEFAULT_NAME): InjectionToken<JobQueue> {
  return tokenOf('JobQueue', name);
}

/** The injection token of something that a module keeps to itself. */
export function internalToken(part: 'options' | 'handlers' | 'explorer' | 'runner', name: string): string {
  return `nestjs-typeorm-jobs:${part}:${name}`;
}

/** Lets what is injected by a class of another copy be what the module with this name provides. */
export function aliasesOf(name: string): ExistingProvider[] {
  if (name !== DEFAULT_NAME) return [];
  return copies
    .flatMap((classes) => Object.entries(classes))
    .map(([type, provide]) => ({ provide, useExisting: tokenOf(type as keyof typeof INJECTABLE, name) }))
    .filter(({ provide, useExisting }) => provide !== useExisting);
}

function tokenOf(type: keyof typeof INJECTABLE, name: string): InjectionToken {
  if (name !== DEFAULT_NAME) return `${type}:${name}`;
  return copies.find((classes) => type in classes)![type];
}
