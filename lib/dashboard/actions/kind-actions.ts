import type { Action, AnswerTo } from './action.js';
import type { ActionBody } from './action-body.js';

/** Committed at once, whatever transaction the request runs in. */
const OUTSIDE = { outside: true } as const;

export const pause: Action<AnswerTo<'pause'>> = {
  role: 'act',
  target: kindOf,
  run: async ({ kinds, body }) => {
    const [reason, until] = [body.optionalText('reason'), body.optionalInstant('until')];
    await kinds.pause(body.text('kind'), {
      ...OUTSIDE,
      ...(reason !== undefined && reason !== '' && { reason }),
      ...(until !== undefined && { until }),
      stopRunning: body.flag('stopRunning'),
    });
    return { answer: {}, changed: 1 };
  },
};

export const resume: Action<AnswerTo<'resume'>> = {
  role: 'act',
  target: kindOf,
  run: async ({ kinds, body }) => {
    const wasPaused = await kinds.resume(body.text('kind'), OUTSIDE);
    return { answer: {}, changed: wasPaused ? 1 : 0 };
  },
};

function kindOf(body: ActionBody): string {
  const kind = body.text('kind');
  return kind === '*' ? 'all kinds' : `the kind ${kind}`;
}
