import { setTimeout as sleep } from 'node:timers/promises';
import { DuplicateJobError, JobNotWaitingError, type JobClient } from 'nestjs-typeorm-jobs';
import { payloadOf, type JobPlan } from './behaviors.js';
import { now } from './clock.js';
import { record } from './process.js';
import type { Random } from './random.js';
import type { ControlledRecord, ControlRecord, SendRecord } from './records.js';

/** Jobs that wait or run for a while are cancelled and updated more often. */
const CANCEL_SHARE = 0.02;
const LASTING_CANCEL_SHARE = 0.35;
const RETRY_SHARE = 0.5;
const UPDATE_SHARE = 0.03;
const LASTING_UPDATE_SHARE = 0.5;
const MAX_UPDATE_PAUSE_MS = 2_000;
const LASTING: readonly JobPlan['kind'][] = ['slow', 'retrying', 'ignoring'];
const MAX_CANCEL_PAUSE_MS = 700;
/** Most jobs wait for long and run for a moment, so some are watched until they run. */
const WATCHED_SHARE = 0.5;
const WATCH_MS = 50;
const MAX_WATCH_MS = 4_000;
const MAX_RETRY_PAUSE_MS = 2_000;

/** Cancels some of the jobs of an enqueuer, retries some that were cancelled or failed, and updates some. */
export class Controls {
  private readonly underWay = new Set<Promise<void>>();
  private calls = 0;

  constructor(
    private readonly client: JobClient,
    private readonly random: Random,
    private readonly name: string,
  ) {}

  /** Draws what becomes of jobs that are there, and does it beside the enqueues. */
  draw(jobs: SendRecord['jobs']): void {
    for (const { id, plan } of jobs) {
      const isCancelled = this.random.chance(isLasting(plan) ? LASTING_CANCEL_SHARE : CANCEL_SHARE);
      // One that holds its key only while it waits would wait beside the job that has the key by then.
      const mayRetry = (isCancelled || plan.kind === 'failing') && plan.unique?.while !== 'waiting';
      const isRetried = mayRetry && this.random.chance(RETRY_SHARE);
      if (!isCancelled && !isRetried) continue;
      this.begin(this.control(id, isCancelled, isRetried));
    }
    for (const { id, plan } of jobs) {
      const share = isLasting(plan) ? LASTING_UPDATE_SHARE : UPDATE_SHARE;
      // What is enqueued with a key may end in the job of another call, whose plan is not known here.
      if (plan.unique === undefined && this.random.chance(share)) this.begin(this.update(id, plan));
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private begin(work: Promise<void>): void {
    this.underWay.add(work);
    void work.then(() => this.underWay.delete(work));
  }

  private async update(id: string, plan: JobPlan): Promise<void> {
    if (this.random.chance(WATCHED_SHARE)) await this.watch(id);
    else await sleep(this.random.int(0, MAX_UPDATE_PAUSE_MS));
    await this.call('update', id, async (change) => {
      await this.client.update(id, { payload: payloadOf(plan, { change }) });
      return 'updated';
    });
  }

  private async control(id: string, isCancelled: boolean, isRetried: boolean): Promise<void> {
    if (this.random.chance(WATCHED_SHARE)) await this.watch(id);
    else await sleep(this.random.int(0, MAX_CANCEL_PAUSE_MS));
    if (isCancelled)
      await this.call(
        'cancel',
        id,
        async () => (await this.client.cancel(id, { reason: 'chaos' })) ?? 'nothing',
      );
    if (!isRetried) return;
    await sleep(this.random.int(0, MAX_RETRY_PAUSE_MS));
    await this.call('retry', id, async () =>
      (await this.client.retry(id)) === null ? 'nothing' : 'retried',
    );
  }

  /** Waits until a job runs or has ended, for a while. */
  private async watch(id: string): Promise<void> {
    const end = performance.now() + MAX_WATCH_MS;
    while (performance.now() < end) {
      const job = await this.client.get(id).catch(() => undefined);
      if (job != null && (job.state === 'running' || job.status !== 'PENDING')) return;
      await sleep(WATCH_MS);
    }
  }

  private async call(
    what: ControlRecord['what'],
    id: string,
    act: (call: string) => Promise<ControlledRecord['how']>,
  ): Promise<void> {
    const call = `${this.name}-control-${this.calls++}`;
    record({ type: 'control', call, at: now(), what, id } satisfies ControlRecord);
    const how = await act(call).catch(refusalOf);
    record({ type: 'controlled', call, at: now(), how } satisfies ControlledRecord);
  }
}

function isLasting({ kind, delayMs }: JobPlan): boolean {
  return LASTING.includes(kind) || delayMs !== undefined;
}

function refusalOf(error: unknown): ControlledRecord['how'] {
  if (error instanceof DuplicateJobError) return 'refused';
  return error instanceof JobNotWaitingError ? 'not waiting' : 'unknown';
}
