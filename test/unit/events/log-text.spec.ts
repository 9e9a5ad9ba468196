import { describe, expect, it } from '@jest/globals';
import { listOf, nameOf, printable, printableError, reasonOf } from '../../../lib/events/log-text.js';
import { claimedJob } from '../fakes.js';

describe('printable', () => {
  it.each([
    ['a line feed', 'a\nb', 'a\\nb'],
    ['a carriage return', 'a\rb', 'a\\rb'],
    ['a tab', 'a\tb', 'a\\tb'],
    ['an escape sequence of a terminal', '\x1b[2Kb', '\\u001b[2Kb'],
    ['NUL', 'a\0b', 'a\\u0000b'],
    ['DEL and the C1 controls', 'a\x7f\x85\x9bb', 'a\\u007f\\u0085\\u009bb'],
    ['the separators of lines and paragraphs', 'a\u2028\u2029b', 'a\\u2028\\u2029b'],
    [
      'marks of direction',
      '\u061c\u200e\u200f\u202a\u202e\u2066\u2069',
      '\\u061c\\u200e\\u200f\\u202a\\u202e\\u2066\\u2069',
    ],
  ])('escapes %s', (_what, text, printed) => {
    expect(printable(text)).toBe(printed);
  });

  it('leaves all other text as it is', () => {
    for (const text of ['', 'invoice.mail', "l'été", '電子メール', '😀', 'a\\nb', 'שלום'])
      expect(printable(text)).toBe(text);
  });
});

describe('printableError', () => {
  const errorWith = (stack: string) => Object.assign(new Error('x'), { name: 'Error', message: 'x', stack });

  it('is the error with its stack and its causes, each cause indented', () => {
    const error = errorWith('Error: x\n    at a.js:1:2');
    error.cause = Object.assign(new Error('y'), { stack: 'Error: y\n    at b.js:3:4' });
    expect(printableError(error)).toBe('Error: x\n    at a.js:1:2\n    caused by: Error: y\n    at b.js:3:4');
  });

  it('indents each line of a message, which cannot pass for an entry of its own then', () => {
    expect(printableError('first\n[Nest] 1 - ERROR forged\n\n')).toBe(
      'first\n    [Nest] 1 - ERROR forged\n    \n    ',
    );
  });

  it.each([
    ['a carriage return', '\r'],
    ['a mark that has no width', '\ufeff'],
    ['a tab', '\t'],
    ['a space that is none of ASCII', '\u3000'],
    ['nothing', ''],
  ])('indents a line that begins with %s', (_what, start) => {
    expect(printableError(`first\n${start}forged`).split('\n')[1]).toMatch(/^ {4}.*forged$/);
  });

  it('escapes control characters in messages and stacks', () => {
    expect(printableError(errorWith('Error: x\x1b[2K\n    at \x1b]0;b\x07 (a.js:1:2)\r\n    at c'))).toBe(
      'Error: x\\u001b[2K\n    at \\u001b]0;b\\u0007 (a.js:1:2)\\r\n    at c',
    );
  });
});

describe('reasonOf', () => {
  it('is the first line of an error, with its control characters escaped', () => {
    expect(reasonOf('Error: x\r\x1b[2K\n    at a.js')).toBe('Error: x\\r\\u001b[2K');
  });
});

describe('nameOf', () => {
  it('names a job by id, kind and the attempt that it is on', () => {
    expect(nameOf(claimedJob({ id: '4711', kind: 'invoice.mail', attemptsDone: 1 }))).toBe(
      'job 4711 (kind invoice.mail, attempt 2)',
    );
    expect(nameOf(claimedJob({ id: 'a\nb', kind: 'c\rd' }))).toBe('job a\\nb (kind c\\rd, attempt 1)');
  });
});

describe('listOf', () => {
  const names = (count: number) => Array.from({ length: count }, (_, n) => `n${n + 1}`);

  it('lists twenty names, and says how many more there are', () => {
    expect(listOf([])).toBe('');
    expect(listOf(['a', 'b\nc'])).toBe('a, b\\nc');
    expect(listOf(names(20))).toBe(names(20).join(', '));
    expect(listOf(names(22))).toBe(`${names(20).join(', ')} and 2 more`);
  });
});
