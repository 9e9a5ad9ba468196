import { DecoratedMethods, type DecoratedMethod } from './decorated-methods.js';
import { marksOf, type JobHandlerMark } from './jobs.metadata.js';

/** A method with `@JobHandler`, or with `@JobSchedule` alone. */
export interface DecoratedHandler extends JobHandlerMark, DecoratedMethod {}

export const DECORATED_HANDLERS = new DecoratedMethods<DecoratedHandler>(
  'handlers',
  (method) => marksOf(method).length > 0,
);

/** All of one kind. */
export function decoratedFor(kind: string): readonly DecoratedHandler[] {
  return DECORATED_HANDLERS.all.filter(
    (handler) => typeof handler.kind === 'string' && handler.kind.trim() === kind,
  );
}
