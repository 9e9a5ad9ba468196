import type { Changed } from '../api/actions.js';
import { failedJobs, type FailedJobs } from '../screens/errors-screen.js';
import { identify } from '../screens/fingerprint.js';
import type { Action, AnswerTo, ActionContext, ActionDone } from './action.js';
import { conflictsTold, done } from './selections.js';

/** How many jobs a preview counts. */
const MOST_COUNTED = 10_000;
/** How many failed jobs a preview looks at. */
const MOST_SEARCHED = 10_000;
const MOST_KINDS = 1_000;
const OUTSIDE = { outside: true } as const;

/** Retries the jobs that failed with the same error. */
export const retryGroup: Action<AnswerTo<'retry-group'>> = {
  role: 'act',
  mayGoOn: true,
  target: (body) => {
    const kinds = body.optionalTexts('kinds', MOST_KINDS) ?? [];
    const ofKinds = kinds.length === 0 ? '' : ` of the kinds ${kinds.join(', ')}`;
    return `jobs${ofKinds} with the error ${body.text('fingerprint')}`;
  },
  isDryRun: (body) => body.flag('dryRun'),
  run: (context) => (context.body.flag('dryRun') ? preview(context) : retryAll(context)),
};

async function preview(context: ActionContext): Promise<ActionDone<Changed>> {
  let [matched, searched] = [0, 0];
  for await (const { ids, looked } of pagesOf(context, (read) => context.reads.run(read))) {
    matched += ids.length;
    searched += looked;
    if (matched > MOST_COUNTED || searched >= MOST_SEARCHED)
      return done({ matched: Math.min(matched, MOST_COUNTED), changed: 0, capped: true, problems: [] });
  }
  return done({ matched, changed: 0, capped: false, problems: [] });
}

async function retryAll(context: ActionContext): Promise<ActionDone<Changed>> {
  const { jobs, signal } = context;
  let [matched, changed, conflicts] = [0, 0, 0];
  for await (const { ids } of pagesOf(context, (read) => read())) {
    signal.throwIfAborted();
    if (ids.length === 0) continue;
    const retried = await jobs.retryMany({ ids }, { ...OUTSIDE, signal });
    matched += ids.length;
    changed += retried.changed;
    conflicts += retried.conflicts;
  }
  return done({ matched, changed, problems: [] }, conflictsTold(conflicts));
}

type Run = (read: () => Promise<FailedJobs>) => Promise<FailedJobs>;

/** The jobs of the group, page by page, the newest first. */
async function* pagesOf({ queue, body }: ActionContext, run: Run) {
  const fingerprint = body.text('fingerprint');
  const kinds = body.optionalTexts('kinds', MOST_KINDS) ?? [];
  let after: string | null = null;
  do {
    const from: string | null = after;
    const { failures, reached }: FailedJobs = await run(() => failedJobs(queue.reads, kinds, from));
    const group = failures.filter(({ lastError }) => identify(lastError).fingerprint === fingerprint);
    yield { ids: group.map(({ id }) => id), looked: failures.length };
    after = reached;
  } while (after !== null);
}
