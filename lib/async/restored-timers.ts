/*
 * Tests fake `setTimeout` while loops of this package are asleep, and restore it. What was set on the fake one by then
 * never fires. So everything that waits on a `setTimeout` that is not Node's own is watched with Node's own, and set once
 * more when the one that it waits on has been replaced.
 */
import * as timers from 'node:timers';

/** Taken when the module is loaded: fake timers replace these, too. */
const { setInterval: every, clearInterval: stopEvery, setTimeout: real } = timers;
const LOOK_MS = 50;

/** Whether a test has replaced `setTimeout`. */
export function areTimersFake(): boolean {
  return globalThis.setTimeout !== real;
}

const waiting = new Map<object, { readonly setOn: unknown; readonly onReplaced: () => void }>();
let looking: NodeJS.Timeout | undefined;

/**
 * Calls back when `setTimeout` is not the one any more that it is now. Does nothing where that is Node's own.
 * @returns a function that ends it; undefined where there is nothing to end
 */
export function onTimersReplaced(onReplaced: () => void): (() => void) | undefined {
  if (!areTimersFake()) return undefined;
  const key = {};
  waiting.set(key, { setOn: globalThis.setTimeout, onReplaced });
  looking ??= every(look, LOOK_MS).unref();
  return () => {
    waiting.delete(key);
    if (waiting.size === 0) stopLooking();
  };
}

function look(): void {
  for (const [key, { setOn, onReplaced }] of waiting) {
    if (globalThis.setTimeout === setOn) continue;
    waiting.delete(key);
    onReplaced();
  }
  if (waiting.size === 0) stopLooking();
}

function stopLooking(): void {
  stopEvery(looking);
  looking = undefined;
}
