/**
 * Work in steps, some of which may have to wait. It is the same whether they do: `finish` awaits each of them, and
 * `finishNow` runs all of them at once, with no other code in between.
 */
export type Work<Result> = Generator<unknown, Result, unknown>;

/** One step: `const rows = yield* step(sql.query(…))`. */
export function* step<Value>(value: Value | Promise<Value>): Work<Value> {
  return (yield value) as Value;
}

export async function finish<Result>(work: Work<Result>): Promise<Result> {
  let at = work.next();
  while (at.done !== true) {
    let value: unknown;
    try {
      value = await at.value;
    } catch (error) {
      at = work.throw(error);
      continue;
    }
    at = work.next(value);
  }
  return at.value;
}

/** @param work none of whose steps is a promise */
export function finishNow<Result>(work: Work<Result>): Result {
  let at = work.next();
  while (at.done !== true) at = work.next(at.value);
  return at.value;
}
