import { useState } from 'preact/hooks';
import { session } from '../page/session.js';
import { useStore } from '../page/store.js';
import { chooseTheme, theme, THEMES } from '../page/theme.js';
import { Icon } from './icon.js';
import { Link } from './link.js';
import { ShortcutsButton, ShortcutsDialog } from './shortcuts.js';
import { Line } from './text.js';

/** What the menu lists, in this order. */
const MENU = [
  ['overview', 'Overview'],
  ['jobs', 'Jobs'],
  ['errors', 'Errors'],
  ['kinds', 'Kinds'],
  ['schedules', 'Schedules'],
  ['workers', 'Workers'],
  ['audit', 'Audit'],
] as const;

/** Name, menu, and what belongs to the viewer. On a narrow screen a button opens the menu. */
export function SiteHeader({ current }: { readonly current: string }) {
  const [isOpen, setOpen] = useState(false);
  const [showsKeys, setShowsKeys] = useState(false);
  return (
    <header class={isOpen ? 'site is-open' : 'site'}>
      <div class="site-name">
        <Link search="">
          <Line text={session.name} />
        </Link>
        <button
          type="button"
          class="quiet menu-button"
          aria-expanded={isOpen}
          aria-controls="menu"
          aria-label="Menu"
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="menu" />
        </button>
      </div>
      <nav id="menu" aria-label="Screens" onClick={() => setOpen(false)}>
        {MENU.map(([name, label]) => (
          <Link key={name} search={name === 'overview' ? '' : `view=${name}`} isCurrent={isIn(current, name)}>
            {label}
          </Link>
        ))}
      </nav>
      <div class="site-foot">
        {session.readOnly && <span class="pill">read only</span>}
        <ThemeButton />
        <ShortcutsButton onOpen={() => setShowsKeys(true)} />
        <span class="release">{session.release}</span>
      </div>
      {/* Outside of what narrow screens hide: a dialog that is hidden still blocks the page. */}
      {showsKeys && <ShortcutsDialog onClose={() => setShowsKeys(false)} />}
    </header>
  );
}

/** A job, and a new one, belong to the jobs. */
function isIn(current: string, name: string): boolean {
  return current === name || (name === 'jobs' && ['job', 'new-job'].includes(current));
}

function ThemeButton() {
  const chosen = useStore(theme);
  const next = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length]!;
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`Colours: ${chosen}. Change to ${next}`}
      title={`Colours: ${chosen}`}
      onClick={() => chooseTheme(next)}
    >
      <Icon name="theme" /> {chosen}
    </button>
  );
}
