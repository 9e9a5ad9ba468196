/** What the process of a command ends with. docs/cli.md lists them. */
export const EXIT = {
  /** Done; the doctor has found no trouble. */
  ok: 0,
  /** Failed, or there is nothing of that name; the doctor has found trouble. */
  trouble: 1,
  /** The command line is wrong, or names no database. */
  usage: 2,
  /** A change was not confirmed. */
  notConfirmed: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
