import { AsyncResource } from 'node:async_hooks';

/** The asynchronous context in which this module was loaded: that of the start-up, outside any request. */
const startUp = new AsyncResource('Jobs');

/**
 * Calls `work` in an asynchronous context of its own. It inherits no `AsyncLocalStorage` store of the caller, whether
 * that is a request or the work before it, and a store that it enters with `enterWith` ends with it.
 */
export function inOwnContext<T>(type: string, work: () => T): T {
  return startUp.runInAsyncScope(resourceOf, undefined, type).runInAsyncScope(work);
}

function resourceOf(type: string): AsyncResource {
  return new AsyncResource(type);
}
