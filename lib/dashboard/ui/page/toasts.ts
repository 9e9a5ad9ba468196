import { createStore } from './store.js';
import { after } from './timers.js';

/** What came of an action. */
export interface Toast {
  readonly id: number;
  readonly tone: 'done' | 'error';
  readonly text: string;
  /** A view to go on to. */
  readonly link?: { readonly search: string; readonly label: string };
}

const SHOWN_MS = 8_000;
const MOST = 4;
let count = 0;

export const toasts = createStore<readonly Toast[]>([]);

/** Shows a result for 8 s. An error stays until it is dismissed. */
export function showToast(toast: Omit<Toast, 'id'>): void {
  const id = ++count;
  toasts.set([...toasts.get(), { ...toast, id }].slice(-MOST));
  if (toast.tone === 'done') after(SHOWN_MS, () => dismissToast(id));
}

export function dismissToast(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}
