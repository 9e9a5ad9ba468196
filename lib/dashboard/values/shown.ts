import type { Shown } from '../api/job-screens.js';

const MAX_TEXT = 64 * 1024;
const MAX_BYTES = 4 * 1024;

/**
 * A value as the pages show it.
 * @param original the value as it is stored, for its size
 */
export function shown(value: unknown, isRedacted: boolean, original = value): Shown {
  if (original === undefined) return { type: 'none', text: '', truncated: false, size: 0, redacted: false };
  const size = sizeOf(original);
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value.subarray(0, MAX_BYTES)).toString('hex');
    return { type: 'bytes', text, truncated: value.length > MAX_BYTES, size, redacted: isRedacted };
  }
  const text = JSON.stringify(value, null, 2);
  return {
    type: 'json',
    text: text.slice(0, MAX_TEXT),
    truncated: text.length > MAX_TEXT,
    size,
    redacted: isRedacted,
  };
}

function sizeOf(value: unknown): number {
  return value instanceof Uint8Array ? value.length : Buffer.byteLength(JSON.stringify(value));
}
