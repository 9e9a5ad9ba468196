/** Says whether jobs of a kind may be started. It is asked at the very moment of a start, and does not wait. */
export interface StartGate {
  isOpen(kind: string): boolean;
  /** Why it is closed. */
  reason(kind: string): Error;
}

/** For who asks before the claim. */
export const OPEN_GATE: StartGate = {
  isOpen: () => true,
  reason: () => new Error('The gate is open.'),
};
