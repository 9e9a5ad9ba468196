import { useLayoutEffect } from 'preact/hooks';

/** What keys do, by the name of the key. */
export type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Listens for single keys, but not while somebody types, in a dialog, or together with Ctrl, Alt or Meta. */
export function useShortcuts(shortcuts: Shortcuts): void {
  // As soon as it is drawn: a key that is pressed before an effect would run must not be lost.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return;
      shortcuts[event.key]?.(event);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  });
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
