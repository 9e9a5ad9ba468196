import type { ServerResponse } from 'node:http';

/** Where a stream of events goes: Node's response, which each platform has somewhere. */
export interface EventStream {
  /** @returns false where the other side reads too slowly, and the stream was ended */
  write(text: string): boolean;
  end(): void;
  onClose(callback: () => void): void;
}

/** What Fastify has beside Node's response. */
interface WrappedResponse {
  readonly raw: ServerResponse;
  readonly hijack: () => unknown;
  readonly getHeaders: () => Readonly<Record<string, number | string | string[] | undefined>>;
}

/** More than this waits only for a reader that has gone without a word. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Begins an answer that does not end by itself. It goes past Nest, whose interceptors would wrap each event.
 * @param response of Express or Fastify
 */
export function openEventStream(response: object): EventStream {
  const raw = rawOf(response);
  raw.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform', // a compression would hold events back
    'X-Accel-Buffering': 'no', // and so would nginx
  });
  raw.flushHeaders();
  return {
    write: (text) => {
      if (raw.writableEnded || raw.destroyed) return false;
      raw.write(text);
      const isFollowing = raw.writableLength < MAX_WAITING_BYTES;
      if (!isFollowing) raw.destroy();
      return isFollowing;
    },
    end: () => void raw.end(),
    onClose: (callback) => void raw.once('close', callback),
  };
}

/** The headers that were set so far go along. */
function rawOf(response: object): ServerResponse {
  if (!('hijack' in response)) return response as ServerResponse;
  const { raw, ...wrapped } = { raw: (response as WrappedResponse).raw, reply: response as WrappedResponse };
  for (const [name, value] of Object.entries(wrapped.reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value);
  wrapped.reply.hijack();
  return raw;
}
