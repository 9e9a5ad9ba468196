/** What a worker tells of itself, as JSON in the register. */
export interface WorkerAbout {
  readonly host: string;
  readonly pid: number;
  readonly kinds: readonly string[];
  readonly concurrency: number;
  /** How many jobs it runs. */
  readonly running: number;
  /** The same by kind. Kinds of which it runs none are left out. */
  readonly runningKinds: Readonly<Record<string, number>>;
  /** Whether it ends: it claims nothing any more, and waits for its handlers. */
  readonly stopping: boolean;
  /** How late its event loop was at worst since the beat before, in milliseconds. */
  readonly eventLoopDelayMs: number;
  /** The memory that its process takes. */
  readonly rssBytes: number;
  /** The version of this package. */
  readonly release: string;
  /** The version of the time zone data of its process; null where it has none of its own. */
  readonly tzData: string | null;
}
