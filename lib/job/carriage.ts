import { decodeDocument } from './document.js';
import { isObject } from './option-checks.js';

/** The trace that a job was enqueued in, as the propagator of telemetry wrote it: `traceparent`, `tracestate` and the like. */
export type TraceContext = Readonly<Record<string, string>>;

/** What a job takes along. */
export interface Carriage {
  /** What the context carrier captured. */
  readonly carried: unknown;
  readonly traceContext: TraceContext | undefined;
}

const TRACE = '$trace';
const CARRIED = '$carried';
const NOTHING: Carriage = { carried: undefined, traceContext: undefined };

/**
 * The text of the column `carried`. Without a trace it is what the carrier captured, as it is. A trace stands among the
 * properties of an object, so that SQL finds these where they were. What is no object, is empty, or has properties of the
 * same names stands beside the trace.
 *
 * @param carried JSON of what the carrier captured; null for nothing
 */
export function encodeCarriage(carried: string | null, trace: TraceContext | undefined): string | null {
  const isMistakable =
    carried !== null && (carried.includes(`"${TRACE}"`) || carried.includes(`"${CARRIED}"`));
  if (trace === undefined) return isMistakable ? `{"${CARRIED}":${carried}}` : carried;
  const traceText = `"${TRACE}":${JSON.stringify(trace)}`;
  if (carried === null) return `{${traceText}}`;
  if (isMistakable || !carried.startsWith('{') || carried === '{}')
    return `{"${CARRIED}":${carried},${traceText}}`;
  return `${carried.slice(0, -1)},${traceText}}`;
}

/** Reads the column `carried`. @throws UnreadableDocumentError */
export function decodeCarriage(text: string | null): Carriage {
  if (text === null) return NOTHING;
  const stored = decodeDocument(text, null, 'carried');
  if (!isObject(stored) || !(TRACE in stored || CARRIED in stored))
    return { carried: stored, traceContext: undefined };
  const { [TRACE]: trace, [CARRIED]: apart } = stored as Readonly<Record<string, unknown>>;
  const carried = CARRIED in stored ? apart : besideTrace(stored);
  return { carried, traceContext: isTrace(trace) ? trace : undefined };
}

/** What stands beside the trace: for most jobs nothing. They are spared a copy, which takes as long as the parse. */
function besideTrace(stored: object): unknown {
  if (Object.keys(stored).length === 1) return undefined;
  const { [TRACE]: _trace, ...properties } = stored as Readonly<Record<string, unknown>>;
  return properties;
}

/** Rows may come from elsewhere. */
function isTrace(value: unknown): value is TraceContext {
  if (!isObject(value)) return false;
  for (const name in value) if (typeof (value as Record<string, unknown>)[name] !== 'string') return false;
  return true;
}
