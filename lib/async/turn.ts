/** Taken when the module is loaded: tests fake it, and one that was faked when it was called never comes. */
const immediate = globalThis.setImmediate;

/** Resolves when the event loop has had a turn. Fake timers do not stop it. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    immediate(resolve);
  });
}

/**
 * Asks at most once in a turn of the event loop, for what changes rarely and is wanted with each job. Who asks again in the
 * same turn gets the same answer.
 */
export function oncePerTurn<T>(ask: () => T): () => T {
  let known: { readonly answer: T } | undefined;
  const forget = () => {
    known = undefined;
  };
  return () => {
    if (known === undefined) {
      known = { answer: ask() };
      immediate(forget);
    }
    return known.answer;
  };
}
