import { useState } from 'preact/hooks';
import type { RowSelection } from './data-table.js';

/** The selected rows among those that are shown. What is not shown any more is not selected. */
export function useSelection(shown: readonly string[]): RowSelection & { readonly clear: () => void } {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const among = (keys: ReadonlySet<string>) => new Set(shown.filter((key) => keys.has(key)));
  return {
    keys: among(chosen),
    // From what is chosen then, and not as it was drawn: keys may come faster than the page is drawn.
    toggle: (key) =>
      setChosen((before) => {
        const next = among(before);
        if (!next.delete(key)) next.add(key);
        return next;
      }),
    toggleAll: () =>
      setChosen((before) => (among(before).size === shown.length ? new Set() : new Set(shown))),
    clear: () => setChosen(new Set()),
  };
}
