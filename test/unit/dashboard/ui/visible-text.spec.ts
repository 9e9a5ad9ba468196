import { describe, expect, it } from '@jest/globals';
import { segmentsOf, visible } from '../../../../lib/dashboard/ui/text/visible-text.js';

describe('Text of jobs', () => {
  it('shows what would not be seen by its number', () => {
    expect(visible('billing.\u202Eexe')).toBe('billing.U+202Eexe');
    expect(visible('a\u0000b\u0007\u007F\u200B\u2066c\u2028\uFEFF')).toBe(
      'aU+0000bU+0007U+007FU+200BU+2066cU+2028U+FEFF',
    );
    expect(visible('\uD800x')).toBe('U+D800x');
    expect(visible('\r\n')).toBe('U+000D\n');
  });

  it('is left as it is where all of it is seen', () => {
    for (const text of ['', 'plain', 'tab\tand\nline', 'Grüße 👩‍👩‍👧 مرحبا', 'می‌خواهم'])
      expect(
        segmentsOf(text)
          .map((segment) => segment.text)
          .join(''),
      ).toBe(text);
    expect(segmentsOf('plain')).toEqual([{ text: 'plain', isMark: false }]);
  });

  it('comes in parts, of which marks can be told apart', () => {
    expect(segmentsOf('a\u202Eb')).toEqual([
      { text: 'a', isMark: false },
      { text: 'U+202E', isMark: true },
      { text: 'b', isMark: false },
    ]);
  });
});
