import type { StateName } from '../../api/screens.js';

/** A state in words, with a dot in its colour. */
export function StateBadge({ state }: { readonly state: StateName }) {
  return <span class={`badge state-${state}`}>{state}</span>;
}

/** Another word with a dot in a colour. */
export function Badge({ tone, text }: { readonly tone: Tone; readonly text: string }) {
  return <span class={`badge tone-${tone}`}>{text}</span>;
}

export type Tone = 'good' | 'warning' | 'error' | 'info' | 'plain';
