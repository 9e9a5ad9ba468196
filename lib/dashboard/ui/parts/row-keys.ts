import type { RefObject } from 'preact';
import { useShortcuts } from '../page/shortcuts.js';

/**
 * Keys that go through the rows of a table: `j` and `k` from wherever the focus is, the arrows within the table; Enter opens
 * the row by its first link.
 * @param onSelect does what `x` asks for, by the key of the row
 */
export function useRowKeys(
  table: RefObject<HTMLTableElement | null>,
  onSelect?: (key: string) => void,
): void {
  const rows = () => [...(table.current?.tBodies[0]?.rows ?? [])];
  const current = () => rows().findIndex((row) => row.contains(document.activeElement));
  const go = (step: number) => {
    const all = rows();
    const next = Math.min(Math.max(current() + step, 0), all.length - 1);
    all[next]?.focus();
    all[next]?.scrollIntoView({ block: 'nearest' });
  };
  const goWithin = (event: KeyboardEvent, step: number) => {
    if (current() < 0) return;
    event.preventDefault();
    go(step);
  };
  useShortcuts({
    j: () => go(1),
    k: () => go(-1),
    ArrowDown: (event) => goWithin(event, 1),
    ArrowUp: (event) => goWithin(event, -1),
    x: () => {
      const key = rows()[current()]?.dataset.key;
      if (key !== undefined) onSelect?.(key);
    },
    Enter: () => {
      const row = rows()[current()];
      if (row !== undefined && row === document.activeElement) row.querySelector('a')?.click();
    },
  });
}
