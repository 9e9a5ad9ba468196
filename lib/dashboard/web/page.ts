import type { Session } from '../api/screens.js';
import { escapeHtml } from './escape-html.js';

/** The one page: its script shows the screens. Nothing stands inline, so a strict Content-Security-Policy holds. */
export function page(
  base: string,
  session: Session,
  assets: { readonly js: string; readonly css: string },
): string {
  const attribute = escapeHtml(JSON.stringify(session));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<base href="${base}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="session" content="${attribute}">
<title>${escapeHtml(session.name)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/${escapeHtml(assets.css)}">
<script type="module" src="assets/${escapeHtml(assets.js)}"></script>
</head>
<body>
<div id="app"></div>
<noscript>The dashboard needs JavaScript.</noscript>
</body>
</html>
`;
}
