/** Whether a text is a URL that a page may lead to. A link to `javascript:` would run in the page. */
export function isWebUrl(text: unknown): text is string {
  return typeof text === 'string' && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
