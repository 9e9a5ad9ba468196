import type { Retention } from '../../job/retention.js';
import type { ChoreRest, TakenChore } from '../../queue/chore-store.js';
import type { Pruned, PruneRange } from '../../queue/retention-store.js';
import type { Sql } from './sql.js';

/** Statements that delete settled jobs; see `RetentionStore`. */
export interface RetentionDialect {
  prune(sql: Sql, retention: Retention, range: PruneRange): Promise<Pruned>;
}

/** Statements about the table of chores; see `ChoreStore`. */
export interface ChoresDialect {
  due(sql: Sql, names: readonly string[]): Promise<string[]>;
  take(sql: Sql, name: string, holder: string, holdMs: number): Promise<TakenChore | null>;
  giveBack(sql: Sql, name: string, holder: string, rest: ChoreRest): Promise<void>;
}

/** The name of the rules of kinds that have none of their own: no kind is empty. */
export const GENERAL = '';

/** Ages in milliseconds, as a statement finds them: by kind, and then by status. */
export function agesByKind({ general, own }: Retention): Record<string, Readonly<Record<string, number>>> {
  return Object.fromEntries([[GENERAL, general], ...own]);
}

/** One age, as a statement finds it in a list. */
export interface AgeRule {
  readonly kind: string;
  readonly status: string;
  readonly ageMs: number;
}

/** The same as a list. */
export function ageRules(retention: Retention): AgeRule[] {
  return Object.entries(agesByKind(retention)).flatMap(([kind, ages]) =>
    Object.entries(ages).map(([status, ageMs]) => ({ kind, status, ageMs })),
  );
}

/** From a row with `reached`, and the instant `now`. */
export function takenChore(row: { readonly reached?: unknown; readonly now?: unknown }): TakenChore {
  return { reached: (row.reached as string | null) ?? null, now: Number(row.now) };
}
