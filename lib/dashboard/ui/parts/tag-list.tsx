import type { ComponentChildren } from 'preact';
import { plural } from '../text/numbers.js';
import { useFold } from './fold.js';

interface TagListProps {
  readonly names: readonly string[];
  /** How many are shown at first. */
  readonly most: number;
  /** What one is called: `kind`. */
  readonly noun: string;
  readonly children: (name: string) => ComponentChildren;
}

/** Names as tags; where there are many, a button shows the others. */
export function TagList({ names, most, noun, children }: TagListProps) {
  const { shown, hidden, unfold } = useFold(names, most);
  return (
    <span class="tags">
      {shown.map(children)}
      {hidden > 0 && (
        <button
          type="button"
          class="tag"
          aria-label={`Show ${plural(hidden, `more ${noun}`)}`}
          onClick={unfold}
        >
          +{hidden}
        </button>
      )}
    </span>
  );
}
