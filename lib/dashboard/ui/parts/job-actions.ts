import type { StateName } from '../../api/screens.js';

/** What can be done to several jobs at once. */
export type JobActionName = 'retry' | 'run-now' | 'cancel' | 'delete';

export interface JobAction {
  readonly name: JobActionName;
  readonly label: string;
  /** What has been done to a job. */
  readonly done: string;
  /** What follows from it. */
  readonly note: string;
  /** Jobs in these states can have it done. */
  readonly states: readonly StateName[];
  readonly isDanger: boolean;
}

const WAITING: readonly StateName[] = ['scheduled', 'blocked', 'ready', 'retrying'];
const ENDED_BADLY: readonly StateName[] = ['failed', 'panic', 'cancelled'];

export const JOB_ACTIONS: readonly JobAction[] = [
  {
    name: 'retry',
    label: 'Retry',
    done: 'retried',
    note: 'They become ready at once and may use all their attempts again.',
    states: ENDED_BADLY,
    isDanger: false,
  },
  {
    name: 'run-now',
    label: 'Run now',
    done: 'made ready',
    note: 'They become ready at once instead of at their time.',
    states: ['scheduled', 'retrying'],
    isDanger: false,
  },
  {
    name: 'cancel',
    label: 'Cancel',
    done: 'cancelled',
    note: 'Those that wait never start. Those that run are asked to stop.',
    states: [...WAITING, 'running'],
    isDanger: true,
  },
  {
    name: 'delete',
    label: 'Delete',
    done: 'deleted',
    note: 'They are gone for good, with their attempts and logs. Those that run are left alone.',
    states: [...WAITING, ...ENDED_BADLY, 'done'],
    isDanger: true,
  },
];
