/** A stretch of time. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

export function overlaps(span: Span, from: number, until: number): boolean {
  return span.from <= until && span.until >= from;
}

/** Merges spans that overlap, and sorts them. */
export function union(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last === undefined || span.from > last.until) merged.push(span);
    else merged[merged.length - 1] = { from: last.from, until: Math.max(last.until, span.until) };
  }
  return merged;
}

/** What is left of a span without the others. */
export function without(span: Span, others: readonly Span[]): Span[] {
  const left: Span[] = [];
  let from = span.from;
  for (const other of union(others)) {
    if (other.from > from) left.push({ from, until: Math.min(other.from, span.until) });
    from = Math.max(from, other.until);
    if (from >= span.until) break;
  }
  if (from < span.until) left.push({ from, until: span.until });
  return left.filter((one) => one.until > one.from);
}

/** How many milliseconds from `from` until `until` the spans cover. */
export function coveredMs(spans: readonly Span[], from: number, until: number): number {
  return union(spans)
    .map((span) => Math.min(span.until, until) - Math.max(span.from, from))
    .reduce((sum, ms) => sum + Math.max(0, ms), 0);
}
