import type { Actions } from '../api/actions.js';
import type { JobsSources } from '../jobs-sources.js';
import type { ActionBody } from './action-body.js';

export type ActionName = keyof Actions;

/** What an action has from the request and the dashboard. */
export interface ActionContext extends JobsSources {
  readonly body: ActionBody;
  /** Whether this viewer may see hidden values, and so search by them. */
  readonly mayReveal: boolean;
  /** Aborts where the application ends. */
  readonly signal: AbortSignal;
}

/** What was done, for the page and for the audit. */
export interface ActionDone<Answer> {
  readonly answer: Answer;
  /** How many jobs or rows were changed. */
  readonly changed: number;
  /** What was left out, if something was. */
  readonly problem?: string;
}

/** What the page is told of an action. */
export type AnswerTo<Name extends ActionName> = Actions[Name][1];

/** Something that a page can have done. */
export interface Action<Answer = unknown> {
  readonly role: 'act' | 'reveal';
  /** What it is done to, in words, for the audit. */
  readonly target: (body: ActionBody) => string;
  /** It changes nothing, and is in no audit. */
  readonly isDryRun?: (body: ActionBody) => boolean;
  readonly run: (context: ActionContext) => Promise<ActionDone<Answer>>;
  /** It may take long; the page is not kept waiting then. */
  readonly mayGoOn?: boolean;
}
