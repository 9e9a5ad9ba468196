import type { BulkAnswer, BulkFilter } from '../../client/bulk-arguments.js';
import { readJob } from '../screens/job-screen.js';
import { listJobs } from '../screens/jobs-screen.js';
import { shown } from '../values/shown.js';
import type { Action, AnswerTo, ActionContext } from './action.js';
import type { ActionBody } from './action-body.js';
import { selecting, without } from './selections.js';

/** Committed at once, whatever transaction the request runs in. */
const OUTSIDE = { outside: true } as const;
const MOST_TAGS = 10;
/** How many jobs "run now" takes: it has no batches of its own. */
const MOST_RUN_NOW = 10_000;
const PAGE = 500;

export const retry: Action<AnswerTo<'retry'>> = selecting({
  states: ['failed', 'panic', 'cancelled'],
  one: async ({ jobs }, id) => (await jobs.retry(id, OUTSIDE)) !== null,
  many: ({ jobs, signal }, filter) => jobs.retryMany(filter, { ...OUTSIDE, signal }),
});

export const cancel: Action<AnswerTo<'cancel'>> = selecting({
  states: ['scheduled', 'blocked', 'ready', 'retrying', 'running'],
  one: async ({ jobs, body }, id) => (await jobs.cancel(id, { ...OUTSIDE, ...reasonOf(body) })) !== null,
  many: ({ jobs, body, signal }, filter) =>
    jobs.cancelMany(filter, { ...OUTSIDE, signal, ...reasonOf(body) }),
});

export const deleteJobs: Action<AnswerTo<'delete'>> = selecting({
  states: without('running', 'stopping'),
  one: ({ jobs }, id) => jobs.delete(id, OUTSIDE),
  many: ({ jobs, signal }, filter) => jobs.deleteMany(filter, { ...OUTSIDE, signal }),
});

export const runNow: Action<AnswerTo<'run-now'>> = selecting({
  states: ['scheduled', 'retrying'],
  one: async ({ jobs }, id) => {
    await jobs.runNow(id, OUTSIDE);
    return true;
  },
  many: runAllNow,
});

export const update: Action<AnswerTo<'update'>> = {
  role: 'act',
  target: (body) => `job ${body.text('id')}`,
  run: async ({ jobs, body }) => {
    const { id } = await jobs.update(body.text('id'), settingsOf(body), OUTSIDE);
    return { answer: { id }, changed: 1 };
  },
};

export const clone: Action<AnswerTo<'clone'>> = {
  role: 'act',
  target: (body) => `job ${body.text('id')}`,
  run: async ({ jobs, body }) => {
    const { id } = await jobs.clone(body.text('id'), payloadOf(body), OUTSIDE);
    return { answer: { id }, changed: 1 };
  },
};

export const enqueue: Action<AnswerTo<'enqueue'>> = {
  role: 'act',
  target: (body) => `a job of the kind ${body.text('kind')}`,
  run: async ({ jobs, body }) => {
    const { payload, ...settings } = settingsOf(body);
    const { id } = await jobs.enqueue(body.text('kind'), payload, { ...settings, ...OUTSIDE });
    return { answer: { id }, changed: 1 };
  },
};

export const reveal: Action<AnswerTo<'reveal'>> = {
  role: 'reveal',
  target: (body) => `job ${body.text('id')}`,
  run: async (context) => {
    const { payload, result, carried } = await readJob(context, context.body.text('id'));
    const answer = {
      ...{ payload: shown(payload, false), result: shown(result, false), carried: shown(carried, false) },
    };
    return { answer, changed: 0 };
  },
};

/** In pages by id; what has started by itself in between is passed over. */
async function runAllNow({ jobs, queue, signal }: ActionContext, filter: BulkFilter): Promise<BulkAnswer> {
  const { all: _all, states, ...rest } = filter;
  const waiting = (['scheduled', 'retrying'] as const).filter((state) => states?.includes(state) ?? true);
  let [matched, changed, after] = [0, 0, null as string | null];
  do {
    signal.throwIfAborted();
    const options = { order: 'oldest', after, limit: PAGE } as const;
    const page = await listJobs(queue, { filter: { ...rest, states: waiting }, options });
    const started = await Promise.allSettled(page.jobs.map(({ id }) => jobs.runNow(id, OUTSIDE)));
    matched += started.length;
    changed += started.filter(({ status }) => status === 'fulfilled').length;
    after = page.next;
  } while (after !== null && matched < MOST_RUN_NOW);
  return { matched, changed, conflicts: 0 };
}

function reasonOf(body: ActionBody): { readonly reason?: string } {
  const reason = body.optionalText('reason');
  return reason === undefined || reason === '' ? {} : { reason };
}

function payloadOf(body: ActionBody): { readonly payload?: unknown } {
  const payload = body.optionalJson('payload');
  return payload === undefined ? {} : { payload: payload.value };
}

function settingsOf(body: ActionBody) {
  const runAt = body.optionalInstant('runAt');
  const priority = body.optionalNumber('priority');
  const maxAttempts = body.optionalNumber('maxAttempts');
  const tags = body.optionalTexts('tags', MOST_TAGS);
  return {
    ...payloadOf(body),
    ...(runAt !== undefined && { runAt }),
    ...(priority !== undefined && { priority }),
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(tags !== undefined && { tags }),
  };
}
