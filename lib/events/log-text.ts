import { describeError } from '../job/describe-error.js';
import type { ClaimedJob } from '../job/job.js';

/** How many names a message lists at most. */
const MAX_NAMES = 20;

/** C0 and C1 controls, line separators, and marks that change the direction of text. */
const CONTROLS = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu;

/**
 * A text from a user, safe to stand in a line of a log: control characters appear as escapes, so that no id, kind or
 * message can begin a line of its own or move the cursor of a terminal (CWE-117).
 */
export function printable(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** An error with its stack, over several lines. All lines but the first are indented: none can pass for an entry of its own. */
export function printableError(error: unknown): string {
  const [first, ...others] = describeError(error).split('\n').map(printable);
  return [first, ...others.map((line) => (line.startsWith(' ') ? line : `    ${line}`))].join('\n');
}

/** The first line of an error as it is stored. */
export function reasonOf(lastError: string): string {
  return printable(lastError.split('\n', 1)[0]!);
}

/** `job 4711 (kind invoice.mail, attempt 2)`, or `attempt 2 of 5` where a limit is given. */
export function nameOf(
  { id, kind, attemptsDone }: Pick<ClaimedJob, 'id' | 'kind' | 'attemptsDone'>,
  maxAttempts?: number,
): string {
  const limit = maxAttempts === undefined ? '' : ` of ${maxAttempts}`;
  return `job ${printable(id)} (kind ${printable(kind)}, attempt ${attemptsDone + 1}${limit})`;
}

/** The same at the beginning of a line: `Job 4711 …`. */
export function titleOf(job: ClaimedJob, maxAttempts?: number): string {
  const name = nameOf(job, maxAttempts);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Names for a message: the first twenty. */
export function listOf(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map(printable).join(', ');
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
}

/** `5 s`, `0.25 s` */
export function seconds(ms: number): string {
  return `${Number((ms / 1000).toPrecision(3))} s`;
}

/** The ids of jobs for a message: the first twenty. */
export function idsOf(jobs: readonly { readonly id: string }[]): string {
  return listOf(jobs.map(({ id }) => id));
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  return { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character] ?? `\\u${code.toString(16).padStart(4, '0')}`;
}
