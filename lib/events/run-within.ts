/** What something is active in while work is done. */
export interface Around {
  /** @returns what `work` returns; throws as it does */
  run<Result>(work: () => Result): Result;
}

/** Calls `work` within all of these, the first outermost. @returns what it returns */
export function runWithinAll<Result>(all: readonly Around[], work: () => Result): Result {
  return all.reduceRight((inner, one) => () => one.run(inner), work)();
}

/**
 * Calls `work` once within what somebody else wrote, which may have faults.
 *
 * @param tell called with what that throws of its own
 * @returns what `work` returns; throws as it does
 */
export function runOnceWithin<Result>(
  around: Around,
  work: () => Result,
  tell: (error: unknown) => void,
): Result {
  let thrown: { readonly error: unknown } | undefined;
  let done: { readonly result: Result } | undefined;
  const once = (): Result => {
    if (thrown !== undefined) throw thrown.error;
    if (done !== undefined) return done.result;
    try {
      done = { result: work() };
      return done.result;
    } catch (error) {
      thrown = { error };
      throw error;
    }
  };
  try {
    around.run(once);
  } catch (error) {
    if (error !== thrown?.error) tell(error);
  }
  return once();
}
