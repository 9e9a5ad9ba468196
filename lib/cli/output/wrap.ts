import { printable } from '../../events/log-text.js';

/** Breaks a text between words, so that no line is longer than the terminal is wide. Lines begin with the indent. */
export function wrapped(text: string, indent: string, width: number | undefined): string {
  const most = (width ?? Infinity) - indent.length;
  const lines: string[] = [''];
  for (const word of printable(text).split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= most) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${indent}${line}`).join('\n');
}
