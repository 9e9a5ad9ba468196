/** Taken when the module is loaded: tests fake it, and one that was faked when it was called never comes. */
const immediate = globalThis.setImmediate;

/** Resolves when the event loop has had a turn. Fake timers do not stop it. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    immediate(resolve);
  });
}
