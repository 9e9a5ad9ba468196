import { DecoratedMethods, type DecoratedMethod } from './decorated-methods.js';
import { listenerMarksOf, type ListenerMark } from './jobs.metadata.js';

/** A method with `@OnJobEvent`. */
export interface DecoratedListener extends ListenerMark, DecoratedMethod {}

export const DECORATED_LISTENERS = new DecoratedMethods<DecoratedListener>(
  'listeners',
  (method) => listenerMarksOf(method).length > 0,
);
