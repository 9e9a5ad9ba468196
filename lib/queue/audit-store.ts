/** What somebody is about to do. */
export interface AuditedAction {
  /** Who does it, at most `AUDIT_TEXT` characters. */
  readonly who: string;
  /** What: a name such as `retry`. */
  readonly action: string;
  /** What it is done to, in words; at most `AUDIT_TEXT` characters. */
  readonly target: string;
}

/** What has become of it. */
export interface AuditedOutcome {
  /** How many jobs or rows were changed; null where it failed. */
  readonly changed: number | null;
  /** Why it failed, or what was left out; at most `AUDIT_TEXT` characters. */
  readonly problem: string | null;
}

/** An action as it is stored. An action that has not ended, or whose process died, has neither `changed` nor `problem`. */
export interface StoredAction extends AuditedAction, AuditedOutcome {
  /** Rises from one action to the next. Numbers may be left out. */
  readonly seq: number;
  /** When it began, by the storage's clock, in milliseconds since 1970. */
  readonly atMs: number;
}

export interface AuditPage {
  /** The newest first. */
  readonly actions: readonly StoredAction[];
  /** The storage's clock, in milliseconds since 1970. */
  readonly nowMs: number;
}

export const AUDIT_TEXT = 1_000;
/** Actions are kept for so long. */
export const KEEP_AUDIT_MS = 90 * 24 * 3_600_000;
/** How many rows one call of `prune` deletes. */
export const AUDIT_PRUNED = 1_000;

/**
 * What people have done to jobs by hand. An action is written before it begins and again when it has ended, so that none
 * goes unnoticed because its process died. Every implementation passes test/contract/audit.contract.ts.
 */
export abstract class AuditStore {
  /** An action begins. @returns its number */
  abstract begin(action: AuditedAction): Promise<number>;

  /** It has ended. Does nothing where there is no such action. */
  abstract end(seq: number, outcome: AuditedOutcome): Promise<void>;

  /** @param before only actions with a lower number; null for the newest @param limit how many at most */
  abstract read(before: number | null, limit: number): Promise<AuditPage>;

  /** Deletes actions that are older, at most `AUDIT_PRUNED` of them. @returns how many there were */
  abstract prune(olderThanMs: number): Promise<number>;
}
