/** A button that sends a POST request, whose answer leads back to the page. */
export function button(path: string, label: string): string {
  return `<form method="post" action="${path}"><button>${label}</button></form>`;
}
