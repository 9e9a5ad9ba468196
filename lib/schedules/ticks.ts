/** The ticks of a rule without its bounds. Instants are milliseconds since 1970. */
export interface Ticks {
  /** The first tick after an instant. */
  next(after: number): number | null;
  /** The last tick before an instant. */
  previous(before: number): number | null;
}
