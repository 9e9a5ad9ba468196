/** An instant to the second, in UTC: `2026-11-27T09:00:00Z`. */
export function instantText(date: Date | null | undefined): string | undefined {
  return date == null ? undefined : date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A time for a person, in its two largest units: `2h 5m`, `250ms`. */
export function timeText(ms: number | null | undefined): string | undefined {
  if (ms == null) return undefined;
  const place = UNITS.findIndex(([, length]) => ms >= length);
  if (place === -1) return `${Math.round(ms)}ms`;
  const [unit, length] = UNITS[place]!;
  const next = UNITS[place + 1];
  const count = Math.floor(ms / length);
  const rest = next === undefined ? 0 : Math.floor((ms % length) / next[1]);
  return rest === 0 ? `${count}${unit}` : `${count}${unit} ${rest}${next![0]}`;
}

/** A number of things: `1 job`, `2 jobs`, `1,000+ jobs`. */
export function countText(count: number, thing: string, isCapped = false): string {
  const number = count.toLocaleString('en-US');
  return `${number}${isCapped ? '+' : ''} ${thing}${count === 1 && !isCapped ? '' : 's'}`;
}

/** JSON for programs. Bytes are in base64. */
export function jsonText(value: unknown, indent: number | undefined = 2): string {
  const bytes = (_name: string, part: unknown) =>
    part instanceof Uint8Array ? { base64: Buffer.from(part).toString('base64') } : part;
  return JSON.stringify(value, bytes, indent);
}

/** The first line of an error as it is stored. */
export function firstLine(text: string | undefined): string | undefined {
  return text?.split('\n', 1)[0];
}
