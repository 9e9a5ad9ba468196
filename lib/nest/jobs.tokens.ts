import type { ExistingProvider, InjectionToken } from '@nestjs/common';
import { JobClient } from '../client/job-client.js';
import { JobKinds } from '../client/job-kinds.js';
import { JobEvents } from '../client/job-events.js';
import { JobSchedules } from '../client/job-schedules.js';
import { sharedByCopies } from '../job/copies.js';
import { JobQueue } from '../queue/job-queue.js';
import { Worker } from '../worker/worker.js';

/** The name of the `JobsModule` that was given none. */
export const DEFAULT_NAME = 'default';

/** What users inject. */
const INJECTABLE = { JobClient, JobEvents, JobKinds, JobQueue, JobSchedules, Worker };

type Injectable = keyof typeof INJECTABLE;

/**
 * Nest takes a class for an injection token, and each copy of this package has classes of its own. Those of the copy
 * that was loaded first are the tokens in every copy. Those of the others lead to them; see `aliasesOf`. Copies may be of
 * different versions, and one may lack a class of another.
 */
const copies = sharedByCopies('injectable', (): (typeof INJECTABLE)[] => []);
copies.push(INJECTABLE);

/** The injection token of the `JobClient` of a module. For the one without a name it is the class itself. */
export function getJobClientToken(name: string = DEFAULT_NAME): InjectionToken<JobClient> {
  return tokenOf('JobClient', name);
}

/** The injection token of the `JobKinds` of a module. For the one without a name it is the class itself. */
export function getJobKindsToken(name: string = DEFAULT_NAME): InjectionToken<JobKinds> {
  return tokenOf('JobKinds', name);
}

/** The injection token of the `JobEvents` of a module. For the one without a name it is the class itself. */
export function getJobEventsToken(name: string = DEFAULT_NAME): InjectionToken<JobEvents> {
  return tokenOf('JobEvents', name);
}

/** The injection token of the `JobSchedules` of a module. For the one without a name it is the class itself. */
export function getJobSchedulesToken(name: string = DEFAULT_NAME): InjectionToken<JobSchedules> {
  return tokenOf('JobSchedules', name);
}

/** The injection token of the `Worker` of a module. For the one without a name it is the class itself. */
export function getWorkerToken(name: string = DEFAULT_NAME): InjectionToken<Worker> {
  return tokenOf('Worker', name);
}

/** The injection token of the `JobQueue` of a module. For the one without a name it is the class itself. */
export function getJobQueueToken(name: string = DEFAULT_NAME): InjectionToken<JobQueue> {
  return tokenOf('JobQueue', name);
}

/** What a module keeps to itself. */
type InternalPart =
  | 'options'
  | 'events'
  | 'handlers'
  | 'declared'
  | 'listeners'
  | 'tick-jobs'
  | 'explorer'
  | 'runner'
  | 'unjoined'
  | 'lifetime';

/** The injection token of something that a module keeps to itself. */
export function internalToken(part: InternalPart, name: string): string {
  return `nestjs-typeorm-jobs:${part}:${name}`;
}

/** Lets the classes of other copies lead to what the module with this name provides. */
export function aliasesOf(name: string): ExistingProvider[] {
  if (name !== DEFAULT_NAME) return [];
  return (Object.keys(INJECTABLE) as Injectable[]).flatMap((type) => {
    const useExisting = tokenOf(type, name);
    const classes = copies.filter((copy) => type in copy).map((copy) => copy[type]);
    return classes.filter((one) => one !== useExisting).map((provide) => ({ provide, useExisting }));
  });
}

function tokenOf(type: Injectable, name: string): InjectionToken {
  if (name !== DEFAULT_NAME) return `${type}:${name}`;
  return copies.find((copy) => type in copy)![type];
}
