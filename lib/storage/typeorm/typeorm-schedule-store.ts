import type { EnqueueTarget } from '../../queue/job-queue.js';
import {
  ScheduleStore,
  type DeclaringProcess,
  type FireAnswer,
  type Resumption,
  type ScheduleFilter,
  type ScheduleFire,
  type SchedulesLook,
  type ScheduleWrite,
  type StoredSchedule,
  type UpcomingQuery,
  type UpcomingSchedule,
} from '../../queue/schedule-store.js';
import { jobsOfFires } from '../sql/fire-plan.js';
import { DuplicateIdError } from '../sql/duplicate-id.js';
import { CANCEL_REASON } from '../sql/schedule-row.js';
import type { SchedulesDialect } from '../sql/schedules-dialect.js';
import type { CommittedJobs } from './committed-jobs.js';
import type { Statement, TargetConnections } from './target-connections.js';
import type { WakeUps } from './wake-ups.js';

/** How often a fire is tried where others make the same jobs at the same moment. */
const TRIES = 5;

/** Schedules in a database, beside the jobs of a `TypeOrmJobQueue`. */
export class TypeOrmScheduleStore extends ScheduleStore {
  constructor(
    private readonly connections: TargetConnections,
    private readonly dialect: SchedulesDialect,
    private readonly wakeUps: WakeUps,
    private readonly committed: CommittedJobs,
  ) {
    super();
  }

  look(names: readonly string[], target?: EnqueueTarget): Promise<SchedulesLook> {
    return this.run(target, (sql, isJoined) => this.dialect.look(sql, names, isJoined));
  }

  list(filter: ScheduleFilter): Promise<StoredSchedule[]> {
    return this.run({}, (sql) => this.dialect.list(sql, filter));
  }

  save(write: ScheduleWrite, target?: EnqueueTarget): Promise<boolean> {
    return this.write(target, (sql, isJoined) => this.dialect.save(sql, write, isJoined));
  }

  pause(name: string, reason: string | null, target?: EnqueueTarget): Promise<boolean> {
    return this.run(target, (sql, isJoined) => this.dialect.pause(sql, name, reason, isJoined));
  }

  resume(resumption: Resumption, target?: EnqueueTarget): Promise<boolean> {
    return this.write(target, (sql, isJoined) => this.dialect.resume(sql, resumption, isJoined));
  }

  delete(name: string, target?: EnqueueTarget): Promise<boolean> {
    return this.run(target, (sql, isJoined) => this.dialect.delete(sql, name, isJoined));
  }

  setLastJob(name: string, jobId: string, target?: EnqueueTarget): Promise<void> {
    return this.run(target, (sql) => this.dialect.setLastJob(sql, name, jobId));
  }

  existing(jobIds: readonly string[], target?: EnqueueTarget): Promise<string[]> {
    return this.run(target, (sql) => this.dialect.existing(sql, jobIds));
  }

  upcoming(query: UpcomingQuery): Promise<UpcomingSchedule[]> {
    return this.run({}, (sql) => this.dialect.upcoming(sql, query));
  }

  async fire(fires: readonly ScheduleFire[]): Promise<FireAnswer[]> {
    const answers = await this.fireOrAgain(fires);
    const cancelled = answers.flatMap((answer) => answer.cancelled ?? []);
    this.committed.tellOfCancelled(cancelled, CANCEL_REASON);
    const jobs = jobsOfFires(fires, answers);
    const made = new Map(answers.flatMap((answer) => answer.jobs.map((job) => [job.id, job])));
    if (jobs.length > 0)
      this.committed.tell(
        jobs,
        jobs.map(({ id }) => made.get(id)!),
      );
    return answers;
  }

  seen(names: readonly string[], by: DeclaringProcess): Promise<string[]> {
    return this.run({}, (sql) => this.dialect.seen(sql, names, by));
  }

  expire(ms: number): Promise<string[]> {
    return this.run({}, (sql) => this.dialect.expire(sql, ms));
  }

  watch(listener: () => void): () => void {
    return this.wakeUps.watchSchedules(listener);
  }

  /** A job that another has made meanwhile, by a backfill or by its id, is seen by the next try. */
  private async fireOrAgain(fires: readonly ScheduleFire[]): Promise<FireAnswer[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.run({}, (sql) => this.dialect.fire(sql, fires));
      } catch (error) {
        if (!(error instanceof DuplicateIdError) || tries >= TRIES) throw error;
      }
    }
  }

  /** Wakes those who wait for a change of schedules, once it is committed. */
  private async write(target: EnqueueTarget | undefined, statement: Statement<boolean>): Promise<boolean> {
    const isWritten = await this.run(target, statement);
    if (!isWritten) return false;
    this.connections.afterCommit(target, () => this.wakeUps.schedulesChanged());
    return true;
  }

  private run<T>(target: EnqueueTarget | undefined, statement: Statement<T>): Promise<T> {
    return this.connections.run(target, statement);
  }
}
