import type { Shown } from '../../api/job-screens.js';
import { bytes } from '../text/numbers.js';
import { CopyButton } from './copy-button.js';
import { Text } from './text.js';

interface ShownValueProps {
  readonly title: string;
  readonly value: Shown;
  /** Asks for what is hidden; undefined where this viewer may not. */
  readonly onReveal?: () => void;
  readonly isOpen?: boolean;
}

/** A payload, a result, or what a job carries. What is redacted stays hidden until somebody reveals it, which is recorded. */
export function ShownValue({ title, value, onReveal, isOpen = true }: ShownValueProps) {
  if (value.type === 'none') return null;
  return (
    <details class="panel" open={isOpen}>
      <summary>
        <h2>{title}</h2>{' '}
        <span class="muted">
          {value.type === 'bytes' ? 'bytes' : 'JSON'}, {bytes(value.size)}
        </span>
      </summary>
      {value.redacted && (
        <div class="redacted">
          <p>Parts of it are hidden.</p>
          {onReveal === undefined ? (
            <span class="muted">You do not have the role to reveal them.</span>
          ) : (
            <button type="button" onClick={onReveal}>
              Reveal {title.toLowerCase()}
            </button>
          )}
        </div>
      )}
      <div class="code">
        <pre tabIndex={0} aria-label={title}>
          <Text text={value.text} />
        </pre>
        <CopyButton text={value.text} name={title.toLowerCase()} />
      </div>
      {value.truncated && <p class="muted">Only the beginning is shown.</p>}
    </details>
  );
}
