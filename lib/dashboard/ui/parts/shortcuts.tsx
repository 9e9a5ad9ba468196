import { useShortcuts } from '../page/shortcuts.js';
import { Dialog } from './dialog.js';

const KEYS = [
  ['/', 'Search for jobs'],
  ['j  k', 'Next and previous row'],
  ['x', 'Select the row'],
  ['Enter', 'Open the row'],
  ['Esc', 'Close a dialog'],
  ['?', 'Show this'],
] as const;

export function ShortcutsButton({ onOpen }: { readonly onOpen: () => void }) {
  useShortcuts({ '?': onOpen });
  return (
    <button
      type="button"
      class="quiet"
      aria-label="Keyboard shortcuts"
      title="Keyboard shortcuts (?)"
      onClick={onOpen}
    >
      <kbd>?</kbd>
    </button>
  );
}

/** Tells which keys do what. */
export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <div class="dialog-buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
