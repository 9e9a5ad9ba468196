import { isReopening } from '../control-calls.js';
import type { AnswerRecord, AuditRecord, RowState, SendRecord, WorkerRecord } from '../records.js';
import { isTerminal, type EnqueueCall, type JobTimeline, type Timelines } from '../timeline.js';
import type { UniquePlan } from '../unique-keys.js';
import type { Invariant } from './violations.js';

const INVARIANT = 'I14';
/** A process and the database read their clocks at different moments. */
const SLACK_MS = 5;
/** A change is audited before it is committed. Until then, others see the row as it was. */
const COMMIT_MS = 1_000;

type UniqueJob = JobTimeline & { readonly plan: { readonly unique: UniquePlan } };

/** A moment at which a job began to hold its key: it was made, or made ready by a retry. */
interface Taking {
  readonly job: UniqueJob;
  readonly at: number;
  /** When the call began. */
  readonly from: number;
  /** Where another job has the key and has begun, this one follows it. */
  readonly mayFollow: boolean;
}

/**
 * I14: a key that is held has one job, and no trigger is lost. No job takes a key while the one before it holds it. A job
 * that an enqueue was answered with has the key, and had not ended; a `waiting` one starts after the commit of the
 * enqueue, and with what the last one has replaced it by.
 */
export const keysHaveOneJob: Invariant = (times) => {
  const doubles = [...takingsByKey(times).values()].flatMap((takings) =>
    takings.slice(1).flatMap((taking, index) => problemOf(takings[index]!.job, taking)),
  );
  return [...doubles, ...times.calls.flatMap((call) => problemsOf(call, times)), ...rolledBack(times)];
};

/** In their order: those who take a key wait for one another. */
function takingsByKey(times: Timelines): Map<string, Taking[]> {
  const sentAt = new Map<string, number>();
  for (const { jobs, at } of times.history.sends)
    for (const { id } of jobs) if (!sentAt.has(id)) sentAt.set(id, at);
  const all = new Map<string, Taking[]>();
  for (const job of times.jobs.values()) {
    if (!isUnique(job)) continue;
    const place = JSON.stringify([job.plan.kind, job.plan.unique.key]);
    all.set(place, [...(all.get(place) ?? []), ...takingsOf(job, sentAt.get(job.id)!)]);
  }
  for (const takings of all.values()) takings.sort((one, other) => one.at - other.at);
  return all;
}

function isUnique(job: JobTimeline): job is UniqueJob {
  return job.plan?.unique !== undefined;
}

function takingsOf(job: UniqueJob, sentAt: number): Taking[] {
  const mayFollow = job.plan.unique.onConflict === 'replace';
  return job.audit.flatMap((change) => {
    const { at, before } = change;
    if (before === undefined) return { job, at, from: sentAt, mayFollow };
    if (!isReopening(change)) return [];
    const retries = job.controls.filter(({ what, from }) => what === 'retry' && from <= at);
    return { job, at, from: Math.min(at, ...retries.map(({ from }) => from)), mayFollow: false };
  });
}

/** Whether the job before held the key during the whole call by which the next one took it. */
function problemOf({ id, audit, plan: { unique } }: UniqueJob, next: Taking) {
  const states = statesIn(audit, next.from, next.at);
  const isHeld = (state: RowState) =>
    unique.while === 'waiting' || next.mayFollow ? isWaiting(state) : !isTerminal(state);
  if (!states.every(isHeld)) return [];
  const message = `took the key ${unique.key} (${unique.while}) while ${id} held it`;
  return [{ invariant: INVARIANT, job: next.job.id, message }];
}

/** What a job was like at any time of a call. It may have been made within it. */
function statesIn(audit: readonly AuditRecord[], from: number, until: number): RowState[] {
  return audit
    .filter(({ at }, index) => at <= until && (audit[index + 1]?.at ?? Infinity) >= from - COMMIT_MS)
    .map(({ after }) => after);
}

function isWaiting({ status, worker, attempts }: RowState): boolean {
  return status === 'PENDING' && worker === null && attempts === 0;
}

function problemsOf({ send, answer }: EnqueueCall, times: Timelines) {
  if (answer?.how !== 'ok' || answer.jobs === undefined) return [];
  return send.jobs.flatMap((sent, index) => {
    const { id, enqueued } = answer.jobs![index]!;
    const job = times.jobs.get(id);
    const { unique } = sent.plan;
    if (unique === undefined || job?.row === undefined) return []; // I1 reports one that is lost
    const isOwn = enqueued === 'created' ? id === sent.id : job.plan?.unique?.key === unique.key;
    const problem = isOwn
      ? lostTrigger(job, { send, answer }, enqueued, times)
      : `was the answer (${enqueued}) to ${sent.id}, and does not have its key`;
    const message = `call ${send.call} (${send.shape}, ${enqueued}, ${unique.while}): ${problem}`;
    return problem === undefined ? [] : [{ invariant: INVARIANT, job: id, message }];
  });
}

function lostTrigger(
  job: JobTimeline,
  { send, answer }: EnqueueCall & { readonly answer: AnswerRecord },
  enqueued: string,
  times: Timelines,
): string | undefined {
  if (statesIn(job.audit, send.at, answer.at).every(isTerminal)) return 'had ended before the call';
  // A convicted job may have died before its handler could say that it runs.
  if (job.plan!.unique!.while !== 'waiting' || job.row!.status !== 'DONE') return undefined;
  const committingAt = answer.committingAt ?? send.at;
  const start = job.starts.find(({ at }) => at >= committingAt - SLACK_MS);
  if (start === undefined) return 'was not started after the commit';
  return enqueued === 'replaced' && isStale(start, send, times)
    ? `was started with what call ${start.call} had said before`
    : undefined;
}

/** Whether an attempt got the payload of a call that had been answered when another replaced it. */
function isStale(
  { call }: WorkerRecord & { type: 'start' },
  send: SendRecord,
  { calls }: Timelines,
): boolean {
  if (call === undefined || call === send.call) return false;
  const answer = calls.find((one) => one.send.call === call)?.answer;
  return answer?.how === 'ok' && answer.at < send.at;
}

/** Jobs that were replaced in a transaction that was rolled back, and run with what it said. */
function rolledBack({ jobs, history }: Timelines) {
  const undone = new Set(
    history.sends.filter(({ shape }) => shape === 'rolled back').map(({ call }) => call),
  );
  return [...jobs.values()].flatMap(({ id, starts }) =>
    starts
      .filter(({ call }) => call !== undefined && undone.has(call))
      .map(({ call }) => ({
        invariant: INVARIANT,
        job: id,
        message: `was started with what call ${call} had said, which was rolled back`,
      })),
  );
}
