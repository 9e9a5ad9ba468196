import { ago, instant, shortInstant, utc, type MaybeUndated } from '../text/times.js';

interface TimeProps {
  readonly at: MaybeUndated;
  /** Of the server's answer. */
  readonly now: number;
}

/** `3 min ago`; the instant in UTC and in the viewer's zone when pointed at. */
export function Ago({ at, now }: TimeProps) {
  return <Instant at={at} text={ago(at, now)} />;
}

/** `Fri 27 Nov, 09:30` in the viewer's zone, and how long ago that is. */
export function Moment({ at, now }: TimeProps) {
  if (at === null) return <Instant at={at} />;
  return (
    <>
      <Instant at={at} text={shortInstant(at, now)} /> <span class="muted nowrap">· {ago(at, now)}</span>
    </>
  );
}

export function Instant({ at, text }: { readonly at: MaybeUndated; readonly text?: string }) {
  if (at === null) return <span class="muted">{instant(at)}</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={`${utc(at)}\n${instant(at)} ${VIEWERS_ZONE}`}>
      {text ?? instant(at)}
    </time>
  );
}

export const VIEWERS_ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;
