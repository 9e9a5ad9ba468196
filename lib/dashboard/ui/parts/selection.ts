import { useState } from 'preact/hooks';
import type { RowSelection } from './data-table.js';

/** The selected rows among those that are shown. What is not shown any more is not selected. */
export function useSelection(shown: readonly string[]): RowSelection & { readonly clear: () => void } {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const keys = new Set(shown.filter((key) => chosen.has(key)));
  return {
    keys,
    toggle(key) {
      const next = new Set(keys);
      if (!next.delete(key)) next.add(key);
      setChosen(next);
    },
    toggleAll: () => setChosen(keys.size === shown.length ? new Set() : new Set(shown)),
    clear: () => setChosen(new Set()),
  };
}
