import type { Action, AnswerTo } from './action.js';
import type { ActionBody } from './action-body.js';

/** Committed at once, whatever transaction the request runs in. */
const OUTSIDE = { outside: true } as const;

export const pauseSchedule: Action<AnswerTo<'pause-schedule'>> = {
  role: 'act',
  target: nameOf,
  run: async ({ schedules, body }) => {
    const reason = body.optionalText('reason');
    const why = reason === undefined || reason === '' ? {} : { reason };
    await schedules.pause(body.text('name'), { ...OUTSIDE, ...why });
    return { answer: {}, changed: 1 };
  },
};

export const resumeSchedule: Action<AnswerTo<'resume-schedule'>> = {
  role: 'act',
  target: nameOf,
  run: async ({ schedules, body }) => {
    await schedules.resume(body.text('name'), OUTSIDE);
    return { answer: {}, changed: 1 };
  },
};

export const runSchedule: Action<AnswerTo<'run-schedule'>> = {
  role: 'act',
  target: nameOf,
  run: async ({ schedules, body }) => {
    const { id } = await schedules.trigger(body.text('name'), OUTSIDE);
    return { answer: { id }, changed: 1 };
  },
};

export const backfill: Action<AnswerTo<'backfill'>> = {
  role: 'act',
  target: (body) => {
    const [from, to] = [body.number('from'), body.number('to')].map(
      (at) => new Date(at).toJSON() as string | null,
    );
    return `${nameOf(body)} from ${from ?? '?'} to ${to ?? '?'}`;
  },
  isDryRun: (body) => body.flag('dryRun'),
  run: async ({ schedules, reads, body }) => {
    const dryRun = body.flag('dryRun');
    const limit = body.optionalNumber('limit');
    const [from, to] = [new Date(body.number('from')), new Date(body.number('to'))];
    const options = { ...OUTSIDE, from, to, dryRun, ...(limit !== undefined && { limit }) };
    const call = () => schedules.backfill(body.text('name'), options);
    const answer = await (dryRun ? reads.run(call) : call());
    return { answer, changed: dryRun ? 0 : answer.created };
  },
};

function nameOf(body: ActionBody): string {
  return `the schedule ${body.text('name')}`;
}
