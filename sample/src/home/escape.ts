/** Text as it may stand in HTML, also in an attribute. */
export function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)!};`);
}
