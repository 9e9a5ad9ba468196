/** An instant as UTC text with milliseconds: `2031-02-03 04:05:06.789`. @param millis since 1970 */
export function utcText(millis: number): string {
  return new Date(millis).toISOString().replace('T', ' ').replace('Z', '');
}
