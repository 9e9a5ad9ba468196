import {
  payloadTextsOf,
  settingsTextsOf,
  type JobConditions,
  type TimeSpan,
} from '../../job/job-conditions.js';
import { joined, part, type Part } from './part.js';

/** How a database says what the row `job` is like. */
export interface ConditionTexts {
  instant(date: Date): Part;
  isOfKind(kinds: readonly string[]): Part;
  isInState(states: readonly string[]): Part;
  /** It has each of them. */
  hasLabels(labels: readonly string[]): Part;
  holdsKey(key: string): Part;
  contains(column: string, text: string): Part;
}

/** Whether the row `job` is as the conditions say, as an expression; one that may be NULL. The ids are left to the statement. */
export function conditionsOf(conditions: JobConditions, texts: ConditionTexts): Part {
  const { kinds, states, labels = [], uniqueKey, createdAt, runAt, updatedAt, error } = conditions;
  const parts: readonly Part[] = [
    ...spanOf('job.created_at', createdAt, texts),
    ...spanOf('job.run_at', runAt, texts),
    ...spanOf('job.updated_at', updatedAt, texts),
    ...(kinds === undefined ? [] : [texts.isOfKind(kinds)]),
    ...(states === undefined ? [] : [texts.isInState(states)]),
    ...(labels.length === 0 ? [] : [texts.hasLabels(labels)]),
    ...(uniqueKey === undefined ? [] : [texts.holdsKey(uniqueKey)]),
    ...(error === undefined ? [] : [texts.contains('job.last_error', error)]),
    ...settingsTextsOf(conditions).map((text) => texts.contains('job.settings', text)),
    ...payloadTextsOf(conditions).map((text) => texts.contains('job.payload', text)),
  ];
  return parts.length === 0 ? part`true` : joined(parts, ' AND ');
}

function spanOf(column: string, span: TimeSpan | undefined, texts: ConditionTexts): Part[] {
  const end = (sign: string, ms: number | null) =>
    ms === null ? [] : [part`${column} ${sign} ${texts.instant(new Date(ms))}`];
  return span === undefined ? [] : [...end('>', span.afterMs), ...end('<', span.beforeMs)];
}
