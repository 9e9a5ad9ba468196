import { inspect } from 'node:util';
import type { JobDefinition } from '../job/definition.js';
import type { Job } from '../job/job.js';

/** A payload of which properties may be left out, on every level. */
export type PartialPayload<Payload> =
  | Payload
  | (Payload extends Uint8Array
      ? never
      : Payload extends object
        ? { readonly [Key in keyof Payload]?: PartialPayload<Payload[Key]> }
        : never);

/** The matchers of `expect(…)`. The page on testing says how to make them known to TypeScript. */
export interface JobsMatchers<Result = void> {
  /**
   * Passes where a job of this kind was enqueued, whatever has become of it, whose payload has at least these properties.
   * Asymmetric matchers (`expect.any(String)`) may stand in it.
   */
  toHaveEnqueued<Input, Payload, JobResult>(
    definition: JobDefinition<Input, Payload, JobResult>,
    payload?: PartialPayload<Input>,
  ): Result;
  toHaveEnqueued(kind: string, payload?: unknown): Result;
}

/** What Jest and Vitest both give to a matcher. */
interface MatcherContext {
  readonly isNot?: boolean;
  equals(a: unknown, b: unknown, testers?: never[]): boolean;
  readonly utils: { readonly iterableEquality: unknown; readonly subsetEquality: unknown };
}

interface MatcherAnswer {
  readonly pass: boolean;
  readonly message: () => string;
}

/** For `expect.extend(jobsMatchers)`, in Jest and in Vitest. */
export const jobsMatchers = {
  toHaveEnqueued(
    this: MatcherContext,
    received: unknown,
    kind: string | JobDefinition,
    ...expected: [payload?: unknown]
  ): MatcherAnswer {
    const name = typeof kind === 'string' ? kind.trim() : kind.kind;
    const all = jobsOf(received);
    const { iterableEquality, subsetEquality } = this.utils;
    // An object may match in part, bytes must match whole.
    const testers = (ArrayBuffer.isView(expected[0]) ? [] : [iterableEquality, subsetEquality]) as never[];
    const pass = all.some(
      (job) => job.kind === name && (expected.length === 0 || this.equals(job.payload, expected[0], testers)),
    );
    const wanted = expected.length === 0 ? '' : ` with ${shown(expected[0])}`;
    const message = () =>
      `Expected ${pass ? 'no job' : 'a job'} of kind "${name}"${wanted} to have been enqueued.\n${listed(all, name)}`;
    return { pass, message };
  },
};

function jobsOf(received: unknown): Job[] {
  const source = received as Partial<Record<'enqueued' | 'list', () => Job[]>> | null | undefined;
  if (typeof source?.enqueued === 'function') return source.enqueued();
  if (typeof source?.list === 'function') return source.list();
  throw new TypeError(
    `toHaveEnqueued() works on what jobsTester(app) returns, and on a queue in memory; this is ${shown(received)}.`,
  );
}

/** The jobs of the kind, or the kinds that there are instead. */
function listed(all: readonly Job[], name: string): string {
  const same = all.filter(({ kind }) => kind === name);
  if (same.length > 0)
    return `Enqueued of this kind:\n${same.map(({ payload }) => `  ${shown(payload)}`).join('\n')}`;
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  return kinds.length === 0
    ? 'Nothing was enqueued.'
    : `Jobs of other kinds were enqueued: ${kinds.join(', ')}.`;
}

function shown(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 100, maxStringLength: 200 });
}
