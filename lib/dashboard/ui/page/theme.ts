import { createStore } from './store.js';

export const THEMES = ['auto', 'light', 'dark'] as const;
/** `auto` follows the system. */
export type Theme = (typeof THEMES)[number];

const KEY = 'jobs-dashboard-theme';

export const theme = createStore<Theme>(storedTheme());
apply(theme.get());

export function chooseTheme(chosen: Theme): void {
  theme.set(chosen);
  apply(chosen);
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

function storedTheme(): Theme {
  try {
    return THEMES.find((name) => name === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

function apply(chosen: Theme): void {
  document.documentElement.dataset.theme = chosen;
}
