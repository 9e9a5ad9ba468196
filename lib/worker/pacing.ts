const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;

/** A pause of about `ms`, a quarter more or less, so that many processes do not ask all at once. */
export function jittered(ms: number): number {
  return ms * (0.75 + Math.random() / 2);
}

/** How long to wait after so many failures in a row. */
export function backoffMs(failures: number): number {
  return jittered(Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), MAX_BACKOFF_MS));
}
