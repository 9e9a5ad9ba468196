import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get } from './server.js';
import { after } from './timers.js';
import { watchVisibility } from './visibility.js';

const POLL_MS = 5_000;
/** Another process may answer with what it has read up to a second ago, when the change was not made yet. */
const AFTER_CHANGE_MS = 1_500;

/** What a screen shows, and whether it is up to date. */
export interface Polled<Data> {
  /** Null until the first answer. */
  readonly data: Data | null;
  /** Why the last request failed; null where it did not. The data of before stay. */
  readonly error: unknown;
  /** Whether the data are of an address of before, and those of this one are on their way. */
  readonly isOld: boolean;
  /** Asks again at once, and soon once more: something has been changed. */
  readonly reload: () => void;
}

interface Answered<Data> {
  readonly path: string;
  readonly data: Data;
}

/**
 * Asks for a path now and every 5 s while the page can be seen; the next request follows the end of the one before.
 * @param path null asks for nothing
 * @param isOnce asks until there is an answer, for what does not change
 */
export function usePolled<Data>(path: string | null, { isOnce = false } = {}): Polled<Data> {
  const [answered, setAnswered] = useState<Answered<Data> | null>(null);
  const [error, setError] = useState<unknown>(null);
  const reloader = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (path === null) return;
    const poll = new Poll<Data>(path, isOnce, (data) => setAnswered({ path, data }), setError);
    reloader.current = () => poll.ask(AFTER_CHANGE_MS);
    const unwatch = watchVisibility((isVisible) => (isVisible ? poll.resume() : poll.stop()));
    return () => {
      unwatch();
      poll.stop();
    };
  }, [path]);

  const reload = useCallback(() => reloader.current(), []);
  return { data: answered?.data ?? null, error, isOld: answered !== null && answered.path !== path, reload };
}

/** Requests for one path, one after the other. */
class Poll<Data> {
  private request: AbortController | undefined;
  private cancelNext: () => void = () => undefined;
  private isOver = false;

  constructor(
    private readonly path: string,
    private readonly isOnce: boolean,
    private readonly onData: (data: Data) => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Asks now, instead of what is under way. @param nextMs after its answer, it asks again */
  ask(nextMs = POLL_MS): void {
    this.stop();
    const request = new AbortController();
    this.request = request;
    void this.answer(request.signal).then(() => {
      if (!request.signal.aborted && !this.isOver) this.cancelNext = after(nextMs, () => this.ask());
    });
  }

  stop(): void {
    this.request?.abort();
    this.cancelNext();
  }

  /** Asks now, unless all has been asked for. */
  resume(): void {
    if (!this.isOver) this.ask();
  }

  private async answer(signal: AbortSignal): Promise<void> {
    try {
      const data = await get<Data>(this.path, signal);
      if (signal.aborted) return;
      this.onData(data);
      this.onError(null);
      this.isOver = this.isOnce;
    } catch (error) {
      if (!signal.aborted) this.onError(error);
    }
  }
}
