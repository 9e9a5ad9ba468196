/*
 * Text of jobs may hold characters that are not seen, or that turn the order of what stands beside them: a kind could look
 * like another one. They are shown by their number.
 */

/** A part of a text: as it is, or a mark for a character that would not be seen. */
export interface Segment {
  readonly text: string;
  readonly isMark: boolean;
}

/** Control characters but tab and line feed, marks of direction, blanks without width, and lone surrogates. */
const HIDDEN =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]|\p{Cs}/gu;

export function segmentsOf(text: string): readonly Segment[] {
  const segments: Segment[] = [];
  let end = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > end) segments.push({ text: text.slice(end, match.index), isMark: false });
    segments.push({ text: nameOf(match[0]), isMark: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) segments.push({ text: text.slice(end), isMark: false });
  return segments;
}

/** The text with its marks, as one string. */
export function visible(text: string): string {
  return segmentsOf(text)
    .map((segment) => segment.text)
    .join('');
}

function nameOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
