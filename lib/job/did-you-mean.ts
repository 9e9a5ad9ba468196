/** How much of a name may be wrong. */
const MAX_SHARE = 0.4;
/** A longer text is no mistyped name, and not worth comparing. */
const MAX_LENGTH = 100;

/**
 * The name that was probably meant by a mistyped one, undefined where none is near it. Names may have a path before
 * them, `worker.leaseMs`: only what follows it is compared.
 */
export function likelyName(given: string, names: readonly string[]): string | undefined {
  if (given.length > MAX_LENGTH) return undefined;
  const near = names
    .map((name) => ({ name, edits: editsBetween(given.toLowerCase(), lastStep(name).toLowerCase()) }))
    .filter(({ edits }) => edits <= given.length * MAX_SHARE)
    .sort((one, other) => one.edits - other.edits);
  return near[0]?.name;
}

function lastStep(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** The Levenshtein distance: how many characters must be added, removed or replaced to make one text of the other. */
function editsBetween(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const replaced = above[column - 1]! + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[other.length]!;
}
