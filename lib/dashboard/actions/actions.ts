import type { Action, ActionName, AnswerTo } from './action.js';
import { retryGroup } from './group-actions.js';
import { cancel, clone, deleteJobs, enqueue, retry, reveal, runNow, update } from './job-actions.js';
import { pause, resume } from './kind-actions.js';
import { backfill, pauseSchedule, resumeSchedule, runSchedule } from './schedule-actions.js';

/** The compiler wants all of them, and no other. */
export const ACTIONS: { readonly [Name in ActionName]: Action<AnswerTo<Name>> } = {
  ...{ retry, cancel, delete: deleteJobs, 'run-now': runNow, update, clone, enqueue, reveal },
  'retry-group': retryGroup,
  ...{ pause, resume },
  'pause-schedule': pauseSchedule,
  'resume-schedule': resumeSchedule,
  'run-schedule': runSchedule,
  backfill,
};

export const ACTION_NAMES = Object.keys(ACTIONS) as ActionName[];
