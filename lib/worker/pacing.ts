const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;

/** A pause of about `ms`, a quarter more or less, so that many processes do not ask all at once. */
export function jittered(ms: number): number {
  return ms * (0.75 + Math.random() / 2);
}

/**
 * A pause between two looks for jobs that nobody told of: a little more than `ms`, so that a worker with nothing to do
 * sends less than one statement in that time, with all else that it sends.
 */
export function pollPauseMs(ms: number): number {
  return ms * (1 + Math.random() * 0.4);
}

/** How long to wait after so many failures in a row. */
export function backoffMs(failures: number): number {
  return jittered(Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), MAX_BACKOFF_MS));
}
