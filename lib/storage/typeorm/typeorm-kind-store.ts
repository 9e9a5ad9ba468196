import {
  KindStore,
  type Controls,
  type PauseTerms,
  type StoredWorker,
  type WorkerReport,
} from '../../queue/kind-store.js';
import type { CountsLook, DueKind, HistoryLook, KindBacklog, StoredCounts } from '../../queue/kind-counts.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { EnqueueTarget } from '../../queue/transactions.js';
import type { Connections } from '../sql/connections.js';
import type { KindsDialect } from '../sql/kinds-dialect.js';
import type { Statement, TargetConnections } from './target-connections.js';
import type { WakeUps } from './wake-ups.js';

/** A worker that does not hear of the controls fences itself, so the database has less time to answer than usual. */
const ANSWER_MS = 10_000;
/** Workers read the controls though handlers hold all connections of the pool. */
const URGENT = { isUrgent: true, answerMs: ANSWER_MS } as const;

/** Controls and workers in a database. */
export class TypeOrmKindStore extends KindStore {
  constructor(
    private readonly connections: Connections,
    private readonly byTarget: TargetConnections,
    private readonly dialect: KindsDialect,
    private readonly wakeUps: WakeUps,
    private readonly events: JobsEvents,
  ) {
    super();
  }

  pause(kind: string, terms: PauseTerms, target?: EnqueueTarget): Promise<number> {
    const { until, reason } = terms;
    return this.write(
      target,
      (sql, isJoined) => this.dialect.pause(sql, kind, terms, isJoined),
      () => this.events.emit('pauseCommitted', { kind, until, reason }),
    );
  }

  resume(kind: string, target?: EnqueueTarget): Promise<boolean> {
    return this.write(
      target,
      (sql, isJoined) => this.dialect.resume(sql, kind, isJoined),
      (wasPaused) => wasPaused && this.events.emit('resumeCommitted', { kind }),
    );
  }

  controls(): Promise<Controls> {
    return this.connections.run((sql) => this.dialect.controls(sql), URGENT);
  }

  beat(report: WorkerReport): Promise<Controls> {
    return this.connections.run((sql) => this.dialect.beat(sql, report), URGENT);
  }

  forget(workerId: string): Promise<void> {
    return this.connections.run((sql) => this.dialect.forget(sql, workerId));
  }

  workers(): Promise<StoredWorker[]> {
    return this.connections.run((sql) => this.dialect.workers(sql));
  }

  behind(changed: number): Promise<string[]> {
    return this.connections.run((sql) => this.dialect.behind(sql, changed));
  }

  counts(kind: string | null): Promise<CountsLook> {
    return this.connections.run((sql) => this.dialect.counts(sql, kind));
  }

  history(kind: string | null): Promise<HistoryLook> {
    return this.connections.run((sql) => this.dialect.history(sql, kind));
  }

  async hour(kinds: readonly string[]): Promise<StoredCounts[]> {
    if (kinds.length === 0) return [];
    return this.connections.run((sql) => this.dialect.hour(sql, kinds));
  }

  dueKinds(): Promise<DueKind[]> {
    return this.connections.run((sql) => this.dialect.dueKinds(sql));
  }

  async backlog(kinds: readonly string[]): Promise<KindBacklog[]> {
    if (kinds.length === 0) return [];
    return this.connections.run((sql) => this.dialect.backlog(sql, kinds));
  }

  sweep(): Promise<number> {
    return this.connections.run((sql) => this.dialect.sweep(sql));
  }

  isDrained(kind: string): Promise<boolean> {
    return this.connections.run((sql) => this.dialect.isDrained(sql, kind));
  }

  get isTold(): boolean {
    return this.wakeUps.isListening;
  }

  watch(listener: () => void): () => void {
    return this.wakeUps.watchControls(listener);
  }

  /** Workers and listeners hear of a change once it is committed. */
  private async write<T>(
    target: EnqueueTarget | undefined,
    statement: Statement<T>,
    tell: (answer: T) => unknown,
  ): Promise<T> {
    const answer = await this.byTarget.run(target, statement);
    this.byTarget.afterCommit(target, () => {
      this.wakeUps.controlsChanged();
      tell(answer);
    });
    return answer;
  }
}
