import type { KindStore } from '../queue/kind-store.js';

/** A kind of which jobs could start now. */
export interface ReadyKind {
  readonly kind: string;
  /** For how long the oldest of those that were looked at has been able to start, in milliseconds. */
  readonly oldestMs: number;
}

/** The kinds of which jobs could start now, and for how long they could: paused ones included, in order. */
export async function readyKinds(store: Pick<KindStore, 'dueKinds' | 'backlog'>): Promise<ReadyKind[]> {
  const due = await store.dueKinds();
  const backlog = await store.backlog(due.map(({ kind }) => kind));
  const readyMs = new Map(backlog.map(({ kind, oldestReadyMs }) => [kind, oldestReadyMs]));
  return due.map(({ kind, overdueMs }) => ({
    kind,
    oldestMs: Math.max(0, overdueMs ?? 0, readyMs.get(kind) ?? 0),
  }));
}
