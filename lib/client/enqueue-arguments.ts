import { CIRCULAR_IMPORT, JobDefinition } from '../job/definition.js';
import { InvalidJobError } from '../job/errors.js';
import type { Enqueued, Job, JobSettings, NewJob } from '../job/job.js';
import { describeType } from '../job/names.js';
import { isObject } from '../job/option-checks.js';

/** What an enqueue takes after the kind: the payload that the definition wants, or any. It may be left out where it may be undefined. */
export type EnqueueArguments<Kind, Payload, Options> =
  Kind extends JobDefinition<infer Input>
    ? undefined extends Input
      ? [payload?: Input, options?: Options]
      : [payload: Input, options?: Options]
    : [payload?: Payload, options?: Options];

/** The job as an enqueue gives it back: the one that there is now, and what the enqueue did. */
export type EnqueuedJob<Kind = string, Payload = unknown> = (Kind extends JobDefinition<
  infer Input,
  infer _Payload,
  infer Result
>
  ? Job<Input, Result>
  : Job<Payload>) & { readonly enqueued: Enqueued };

/** @throws InvalidJobError where `kind` is neither a kind nor a definition */
export function newJob(kind: unknown, payload: unknown, settings: JobSettings): NewJob {
  if (typeof kind === 'string') return { ...settings, kind, payload };
  return requireDefinition(kind).with(payload, settings);
}

/** @throws InvalidJobError */
export function requireDefinition(kind: unknown): JobDefinition {
  if (kind instanceof JobDefinition) return kind;
  const cause = kind === undefined ? ` ${CIRCULAR_IMPORT}` : '';
  throw new InvalidJobError(
    'kind',
    `is ${describeType(kind)}; it must be a string or what defineJob() returns.${cause}`,
  );
}

/** @throws InvalidJobError */
export function requireOptions<Options extends object>(options: Options | undefined): Partial<Options> {
  if (options === undefined) return {};
  if (isObject(options)) return options;
  throw new InvalidJobError('options', `is ${describeType(options)}; it must be an object, or left out.`);
}

/** @throws InvalidJobError */
export function requireJobs(jobs: unknown): readonly NewJob[] {
  if (!Array.isArray(jobs))
    throw new InvalidJobError('jobs', `is ${describeType(jobs)}; enqueueMany() takes an array of jobs.`);
  for (const [index, job] of jobs.entries() as Iterable<[number, unknown]>)
    if (!isObject(job))
      throw new InvalidJobError(`jobs[${index}]`, `is ${describeType(job)}; a job is an object with a kind.`);
  return jobs as readonly NewJob[];
}
