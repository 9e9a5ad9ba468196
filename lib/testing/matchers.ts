import { inspect } from 'node:util';
import type { JobDefinition } from '../job/definition.js';
import type { Job } from '../job/job.js';

/** What a payload with some of its properties left out can be, on every level. */
export type PartialPayload<Payload> =
  | Payload
  | (Payload extends Uint8Array
      ? never
      : Payload extends object
        ? { readonly [Key in keyof Payload]?: PartialPayload<Payload[Key]> }
        : never);

/** The matchers as they stand behind `expect(…)`; see the page on testing for how to make them known to TypeScript. */
export interface JobsMatchers<Result = void> {
  /**
   * Passes where a job of this kind was enqueued, whatever has become of it, with at least these properties in its
   * payload. Asymmetric matchers (`expect.any(String)`) work within.
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
    // A part of some bytes is something else, whereas a part of an object will do.
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
    `toHaveEnqueued() is for what jobsTester(app) returns, or for a queue in memory; this is ${shown(received)}.`,
  );
}

/** The jobs of the kind, or else which kinds there are. */
function listed(all: readonly Job[], name: string): string {
  const same = all.filter(({ kind }) => kind === name);
  if (same.length > 0)
    return `Enqueued of this kind:\n${same.map(({ payload }) => `  ${shown(payload)}`).join('\n')}`;
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  return kinds.length === 0
    ? 'Nothing was enqueued.'
    : `Enqueued were jobs of other kinds: ${kinds.join(', ')}.`;
}

function shown(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 100, maxStringLength: 200 });
}
