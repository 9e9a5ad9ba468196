import { useState } from 'preact/hooks';
import { after } from '../page/timers.js';
import { Icon } from './icon.js';

const TOLD_MS = 2_000;

/** Copies a text. Browsers allow that on https and localhost alone: elsewhere there is no button. */
export function CopyButton({ text, name }: { readonly text: string; readonly name: string }) {
  const [isCopied, setCopied] = useState(false);
  if (!window.isSecureContext) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    after(TOLD_MS, () => setCopied(false));
  };
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`Copy ${name}`}
      title={`Copy ${name}`}
      onClick={() => void copy()}
    >
      {isCopied ? <span class="copied">Copied</span> : <Icon name="copy" />}
    </button>
  );
}
