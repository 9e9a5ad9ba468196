import { useState } from 'preact/hooks';

export interface Folded<Item> {
  readonly shown: readonly Item[];
  /** How many are left out. */
  readonly hidden: number;
  readonly unfold: () => void;
}

/** The first items of a long list, until somebody asks for all of them. */
export function useFold<Item>(items: readonly Item[], most: number): Folded<Item> {
  const [isOpen, setOpen] = useState(false);
  const isFolded = !isOpen && items.length > most;
  return {
    shown: isFolded ? items.slice(0, most) : items,
    hidden: isFolded ? items.length - most : 0,
    unfold: () => setOpen(true),
  };
}
