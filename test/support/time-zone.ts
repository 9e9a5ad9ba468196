interface HostProcess {
  readonly env: Record<string, string | undefined>;
}

/** Jest gives tests a copy of `process.env`, and Node heeds TZ in the real one alone: found by a function from outside. */
const host = (setTimeout.constructor as (code: string) => () => HostProcess)('return process')();

/** Runs `work` with the whole process in another time zone, as if it had been started with TZ. */
export async function inTimeZone<T>(zone: string, work: () => Promise<T>): Promise<T> {
  const before = host.env.TZ;
  host.env.TZ = zone;
  try {
    return await work();
  } finally {
    if (before === undefined) delete host.env.TZ;
    else host.env.TZ = before;
  }
}
