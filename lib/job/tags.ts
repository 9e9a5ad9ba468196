import { InvalidJobError } from './errors.js';
import { describeType, requireName } from './names.js';

export const MAX_TAGS = 10;
export const MAX_TAG_LENGTH = 100;

/**
 * The tags of a job: at most 10, each trimmed and of 1 to 100 characters, none twice.
 *
 * @returns undefined for an empty list
 * @throws InvalidJobError
 */
export function requireTags(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value))
    throw new InvalidJobError('tags', `is ${describeType(value)}; it must be a list of strings.`);
  if (value.length > MAX_TAGS)
    throw new InvalidJobError('tags', `has ${value.length} entries; a job takes at most ${MAX_TAGS}.`);
  const tags = new Set<string>();
  for (const [index, given] of value.entries() as Iterable<[number, unknown]>) {
    const tag = requireName(given, `tags[${index}]`, MAX_TAG_LENGTH);
    if (tags.has(tag)) throw new InvalidJobError(`tags[${index}]`, `is "${tag}" again; give each tag once.`);
    tags.add(tag);
  }
  return tags.size === 0 ? undefined : [...tags];
}

export function areTags(value: unknown): boolean {
  try {
    requireTags(value);
    return true;
  } catch {
    return false;
  }
}
