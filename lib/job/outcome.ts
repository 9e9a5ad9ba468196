import type { StoredDocument } from './document.js';

/** What an attempt ended in. `lastError` is text that every database takes. */
export type Outcome =
  | { readonly type: 'done'; readonly result: StoredDocument }
  | { readonly type: 'retry'; readonly delayMs: number; readonly lastError: string }
  | { readonly type: 'failed'; readonly lastError: string }
  | { readonly type: 'panic'; readonly lastError: string };
