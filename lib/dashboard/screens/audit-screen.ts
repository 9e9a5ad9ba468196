import type { StoredAction } from '../../queue/audit-store.js';
import type { Audit, AuditRow } from '../api/screens.js';
import type { JobsSources } from '../jobs-sources.js';
import { numberOf } from './query.js';

const PAGE = 100;

/** GET api/audit */
export async function auditScreen({ queue, reads }: JobsSources, query: URLSearchParams): Promise<Audit> {
  const before = numberOf(query, 'after') ?? null;
  const { actions, nowMs } = await reads.run(() => queue.audit.read(before, PAGE + 1));
  const shown = actions.slice(0, PAGE);
  return {
    now: Math.floor(nowMs),
    entries: shown.map(auditRow),
    next: actions.length > PAGE ? String(shown.at(-1)!.seq) : null,
  };
}

const NOT_ENDED = 'It has not ended, or its process has died before it could say so.';

function auditRow({ atMs, who, action, target, changed, problem }: StoredAction): AuditRow {
  const isOpen = changed === null && problem === null;
  return { at: Math.floor(atMs), who, action, target, changed, problem: isOpen ? NOT_ENDED : problem };
}
