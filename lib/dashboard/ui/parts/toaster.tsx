import { useStore } from '../page/store.js';
import { dismissToast, toasts } from '../page/toasts.js';
import { Icon } from './icon.js';
import { Link } from './link.js';
import { Text } from './text.js';

/** What came of actions. It is read out when it appears. */
export function Toaster() {
  const shown = useStore(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, tone, text, link }) => (
        <div key={id} class={`toast toast-${tone}`}>
          <p>
            <Text text={text} /> {link !== undefined && <Link search={link.search}>{link.label}</Link>}
          </p>
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismissToast(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
