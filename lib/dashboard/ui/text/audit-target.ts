import { instant } from './times.js';

const FILTER = /^(jobs with )([^ ]+)$/s;

/**
 * What an action was done to, as somebody reads it: `jobs with state=failed&createdAfter=1764230400000` says
 * `jobs with state failed, created after 2025-11-27 09:00:00`.
 *
 * @param target as the audit has it
 * @param timeZone the viewer's by default
 */
export function targetWords(target: string, timeZone?: string): string {
  const [, begin, filter] = FILTER.exec(target) ?? [];
  if (begin === undefined || !filter!.includes('=')) return target;
  const words = [...new URLSearchParams(filter)].map(([name, value]) => wordsOf(name, value, timeZone));
  return `${begin}${words.join(', ')}`;
}

function wordsOf(name: string, value: string, timeZone: string | undefined): string {
  const [, time, side] = /^(created|run|updated)(After|Before)$/.exec(name) ?? [];
  const at = Number(value);
  if (time === undefined || !Number.isFinite(new Date(at).getTime())) return `${name} ${value}`;
  return `${time} ${side!.toLowerCase()} ${instant(at, timeZone)}`;
}
