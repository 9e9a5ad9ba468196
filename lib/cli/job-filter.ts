import type { JobFilter } from '../client/find-arguments.js';
import type { JobState } from '../job/job-state.js';
import type { CommandOptions } from './command.js';
import type { Values } from './values.js';

const FILTERS = {
  kind: {
    type: 'string',
    short: 'k',
    multiple: true,
    value: '<kind>',
    help: 'Of this kind; may be repeated.',
  },
  state: {
    ...{ type: 'string', short: 's', multiple: true, value: '<state>' },
    help: 'scheduled, ready, retrying, running, stopping, done, failed, panic or cancelled; may be repeated.',
  },
  tag: {
    type: 'string',
    short: 't',
    multiple: true,
    value: '<tag>',
    help: 'With this tag; repeated: with all of them.',
  },
  schedule: { type: 'string', value: '<name>', help: 'Made by this schedule.' },
  error: { type: 'string', value: '<text>', help: 'Whose last error has this text.' },
  'created-after': {
    type: 'string',
    value: '<time>',
    help: 'Enqueued after this time, with its zone: 2026-11-27T09:00:00Z.',
  },
  'created-before': { type: 'string', value: '<time>', help: 'Enqueued before this time.' },
  'updated-after': {
    type: 'string',
    value: '<time>',
    help: 'Last changed after this time; a job that has ended, when it did.',
  },
  'updated-before': { type: 'string', value: '<time>', help: 'Last changed before this time.' },
} as const satisfies CommandOptions;

/** The options that say which jobs are meant. */
export const FILTER_OPTIONS: CommandOptions = FILTERS;

/** What they say; empty where none was given. @throws UsageError */
export function filterOf(values: Values): JobFilter {
  const [kinds, states, tags] = [values.texts('kind'), values.texts('state'), values.texts('tag')];
  const filter: JobFilter = {
    kinds,
    states: states as JobState[] | undefined,
    tags,
    schedule: values.text('schedule'),
    error: values.text('error'),
    createdAfter: values.instant('created-after'),
    createdBefore: values.instant('created-before'),
    updatedAfter: values.instant('updated-after'),
    updatedBefore: values.instant('updated-before'),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}
