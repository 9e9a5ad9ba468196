import type { JobDefinition } from '../job/definition.js';
import type { JobHandlerOptions } from '../job/handler-options.js';

/** What `@JobHandler` says of a method. */
export interface JobHandlerMark {
  readonly kind: string;
  readonly options: JobHandlerOptions;
  readonly definition?: JobDefinition;
}

/** The same in every copy of this package, so that one finds what is decorated by another. */
const KEY = 'nestjs-typeorm-jobs:handler';

/** Decorators are called from the last one up: the new mark stands before those that are there. */
export function addMark(method: object, mark: JobHandlerMark): void {
  Reflect.defineMetadata(KEY, [mark, ...marksOf(method)], method);
}

/** The marks on a method, in the order in which they are written above it. */
export function marksOf(method: object): readonly JobHandlerMark[] {
  return (Reflect.getMetadata(KEY, method) as JobHandlerMark[] | undefined) ?? [];
}
