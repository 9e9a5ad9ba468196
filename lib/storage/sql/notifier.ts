/** Carries wake-ups between processes. Polling finds what it loses. */
export interface Notifier {
  /** Tells other processes that jobs of these kinds have been committed. Returns at once; calls close together are sent together. */
  notify(kinds: readonly string[]): void;
  /**
   * Tells other processes that a job of these kinds is due in `inMs` milliseconds; null stands for any kind. Returns at once;
   * calls close together are sent together.
   */
  notifyDue(kinds: readonly string[] | null, inMs: number): void;
  /**
   * Tells other processes of something that they look at by themselves before long. It arrives where `notify` with this
   * name would. Returns at once; the first call is sent at once, and those within some tens of milliseconds after it together.
   */
  hint(name: string): void;
  /**
   * Begins to listen. `onWake` is called with the kinds, or with null if any kind may have a job; and with the time until
   * it is due, if that is not now.
   */
  listen(onWake: OnWake): void;
  /** Whether it listens, and notifications arrive as far as is known. */
  readonly isListening: boolean;
  /** Stops listening; `notify` goes on. */
  unlisten(): Promise<void>;
  /** Stops listening, and waits for what is being sent. */
  close(): Promise<void>;
}

export type OnWake = (kinds: readonly string[] | null, inMs?: number) => void;

/** For databases that cannot notify. */
export const NO_NOTIFIER: Notifier = {
  notify: () => undefined,
  notifyDue: () => undefined,
  hint: () => undefined,
  listen: () => undefined,
  isListening: false,
  unlisten: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
