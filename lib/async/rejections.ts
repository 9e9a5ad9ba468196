/**
 * Calls back where `answer` is a promise that rejects: any object with a `then` counts, since promises of other libraries
 * and of other realms are no instances of our `Promise`.
 */
export function onRejection(answer: unknown, callback: (error: unknown) => void): void {
  if (isThenable(answer)) Promise.resolve(answer).catch(callback);
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
}
