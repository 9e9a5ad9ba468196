import { useEffect, useState } from 'preact/hooks';
import type { Overview, Refusal } from '../../api/screens.js';
import { after } from './timers.js';
import { usePolled, type Polled } from './polled.js';
import { RefusedError, urlOf } from './server.js';
import { watchVisibility } from './visibility.js';

/** After this time without a message the page polls. A proxy may hold messages back. */
const SILENCE_MS = 5_000;
/** A stream that was refused is tried again after this time. */
const REFUSED_MS = 15_000;

/** Where the overview comes from. */
export type LiveSource = 'connecting' | 'stream' | 'polling';

/** The overview by a stream of the server while the page can be seen; by polling where the stream is silent. */
export function useLiveOverview(): Polled<Overview> & { readonly source: LiveSource } {
  const [streamed, setStreamed] = useState<Overview | null>(null);
  const [refusal, setRefusal] = useState<RefusedError | null>(null);
  const [isSilent, setSilent] = useState(false);

  useEffect(() => {
    let stream: LiveStream | undefined;
    const unwatch = watchVisibility((isVisible) => {
      stream?.close();
      stream = isVisible ? new LiveStream(setStreamed, setRefusal, setSilent) : undefined;
    });
    return () => {
      unwatch();
      stream?.close();
    };
  }, []);

  const polled = usePolled<Overview>(isSilent ? 'api/overview' : null);
  return {
    data: latest(streamed, polled.data),
    error: isSilent ? polled.error : refusal,
    isOld: false,
    source: isSilent ? 'polling' : streamed === null ? 'connecting' : 'stream',
    reload: polled.reload,
  };
}

/** A stream of the server, opened again by the browser where it breaks off, and by this class where it was refused. */
class LiveStream {
  private source: EventSource | undefined;
  private cancelAlarm: () => void = () => undefined;

  constructor(
    private readonly onData: (data: Overview) => void,
    private readonly onRefusal: (refusal: RefusedError | null) => void,
    private readonly onSilence: (isSilent: boolean) => void,
  ) {
    this.open();
  }

  close(): void {
    this.cancelAlarm();
    this.source?.close();
  }

  private open(): void {
    this.close();
    const source = new EventSource(urlOf('api/live'));
    this.source = source;
    this.setAlarm();
    source.addEventListener('message', ({ data }: MessageEvent<string>) => {
      this.setAlarm();
      this.onSilence(false);
      this.onRefusal(null);
      this.onData(JSON.parse(data) as Overview);
    });
    source.addEventListener('refusal', ({ data }: MessageEvent<string>) => {
      this.setAlarm();
      this.onSilence(false);
      const { code, message } = (JSON.parse(data) as Refusal).error;
      this.onRefusal(new RefusedError(code, message));
    });
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) this.refused();
    });
  }

  private setAlarm(): void {
    this.cancelAlarm();
    this.cancelAlarm = after(SILENCE_MS, () => this.onSilence(true));
  }

  private refused(): void {
    this.onSilence(true);
    this.cancelAlarm();
    this.cancelAlarm = after(REFUSED_MS, () => this.open());
  }
}

function latest(one: Overview | null, other: Overview | null): Overview | null {
  if (one === null || other === null) return one ?? other;
  return one.now > other.now ? one : other;
}
