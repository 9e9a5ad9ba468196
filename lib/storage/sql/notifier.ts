/** Carries wake-ups between processes. Polling finds what it loses. */
export interface Notifier {
  /** Tells other processes that jobs of these kinds have been committed. Returns at once; calls close together are sent together. */
  notify(kinds: readonly string[]): void;
  /** Begins to listen. `onWake` is called with the kinds, or with null if any kind may have a job. */
  listen(onWake: (kinds: readonly string[] | null) => void): void;
  /** Stops listening; `notify` goes on. */
  unlisten(): Promise<void>;
  /** Stops listening, and waits for what is being sent. */
  close(): Promise<void>;
}

/** For databases that cannot notify. */
export const NO_NOTIFIER: Notifier = {
  notify: () => undefined,
  listen: () => undefined,
  unlisten: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
