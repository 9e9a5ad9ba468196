/** What a statement takes along to tell other processes, when it is committed. */
export interface Notification {
  readonly channel: string;
  readonly message: string;
}

/** Carries wake-ups between processes. What it loses, polling finds. */
export interface Notifier {
  /** Tells other processes that jobs of these kinds have been committed. Returns at once; calls that come close together are sent together. */
  notify(kinds: readonly string[]): void;
  /** The same for a statement to take along; null where none can. */
  notification(kinds: readonly string[]): Notification | null;
  /** Begins to listen. `onWake` is called with the kinds, or with null where any kind may have a job. */
  listen(onWake: (kinds: readonly string[] | null) => void): void;
  /** Stops listening; `notify` goes on. */
  unlisten(): Promise<void>;
  /** Stops listening, and waits for what is being sent. */
  close(): Promise<void>;
}

/** Where a database has nothing of the kind. */
export const NO_NOTIFIER: Notifier = {
  notify: () => undefined,
  notification: () => null,
  listen: () => undefined,
  unlisten: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
