import type { KindRow } from '../../api/screens.js';

/** What an operator should know of a kind at a glance. */
export interface KindState {
  readonly tone: 'good' | 'warning' | 'error' | 'plain';
  readonly text: string;
}

export function kindStateOf({ paused, running, workers, ready }: KindRow): KindState {
  if (paused !== null) {
    if (running > 0) return { tone: 'warning', text: `draining, ${running} running` };
    return { tone: 'warning', text: 'paused' };
  }
  if (workers === 0)
    return ready.value > 0 ? { tone: 'error', text: 'no worker' } : { tone: 'plain', text: 'no worker' };
  return running > 0 ? { tone: 'good', text: 'working' } : { tone: 'plain', text: 'idle' };
}
