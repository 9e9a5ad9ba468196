import type { Changed } from '../../api/actions.js';
import { count, plural } from './numbers.js';

/** `1 job`, `12 jobs`, `10,000+ jobs` where there are more than were counted. */
export function jobsOf({ matched, capped = false }: Pick<Changed, 'matched' | 'capped'>): string {
  return capped ? `${count(matched)}+ jobs` : plural(matched, 'job');
}

/** What came of an action on jobs. @param done e.g. `retried` */
export function resultOf({ changed, problems, goesOn = false }: Changed, done: string): string {
  if (goesOn) return 'It takes a while and goes on without this page. The audit tells when it has ended.';
  const first = problems[0];
  if (first === undefined) return `${plural(changed, 'job')} ${done}.`;
  return `${plural(changed, 'job')} ${done}, ${count(problems.length)} not. The first: ${first.problem}`;
}
