import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { NotConfirmedError, UsageError } from '../../../lib/cli/cli-errors.js';
import { confirm } from '../../../lib/cli/confirm.js';
import { countText, instantText, jsonText, timeText } from '../../../lib/cli/output/format.js';
import { facts, table, type Column } from '../../../lib/cli/output/table.js';
import { wrapped } from '../../../lib/cli/output/wrap.js';
import { COMMANDS } from '../../../lib/cli/all-commands.js';
import { WORK_CODES } from '../../../lib/cli/doctor/work-codes.js';
import type { Terminal } from '../../../lib/cli/terminal.js';
import { Values } from '../../../lib/cli/values.js';
import { STORAGE_CODES } from '../../../lib/queue/inspector.js';

interface Row {
  readonly name: string;
  readonly count: number;
  readonly text?: string;
}

describe('A table', () => {
  const columns: Column<Row>[] = [
    { title: 'name', value: ({ name }) => name },
    { title: 'count', value: ({ count }) => count, isRight: true },
    { title: 'text', value: ({ text }) => text, isLong: true },
  ];
  const rows: Row[] = [
    { name: 'a', count: 7, text: 'a long text that goes on and on' },
    { name: 'longer', count: 1234 },
  ];

  it('is aligned, numbers at the right, and shows what is missing', () => {
    expect(table(columns, rows)).toBe(
      ['NAME    COUNT  TEXT', 'a           7  a long text that goes on and on', 'longer   1234  -'].join(
        '\n',
      ),
    );
  });

  it('cuts the long column to the width of the terminal, but not to nothing', () => {
    const widths = (width: number) =>
      table(columns, rows, width)
        .split('\n')
        .map((line) => line.length);
    expect(Math.max(...widths(40))).toBe(40);
    expect(table(columns, rows, 40)).toContain('a long text that goes on…');
    expect(Math.max(...widths(10))).toBe(35);
  });

  it('counts characters that are twice as wide, and those that take no room', () => {
    const wide = [
      { name: '日本', count: 1 },
      { name: 'e\u0301', count: 2 },
      { name: '😀', count: 3 },
    ];
    expect(table(columns, wide).split('\n').slice(1)).toEqual([
      '日本      1  -',
      'e\u0301         2  -',
      '😀        3  -',
    ]);
  });

  it('escapes what could move the cursor', () => {
    const text = table(columns, [{ name: 'a\u001b[2J\nb\u202ec', count: 0 }]);
    expect(text.split('\n')).toHaveLength(2);
    expect(text).toContain('a\\u001b[2J\\nb\\u202ec');
    expect(facts([['id', 'a\nb']])).toBe('id  a\\nb');
  });
});

describe('A paragraph', () => {
  it('is broken between words', () => {
    expect(wrapped('one two three', '  ', 10)).toBe('  one two\n  three');
    expect(wrapped('one two three', '  ', undefined)).toBe('  one two three');
    expect(wrapped('a-word-that-is-longer x', '', 5)).toBe('a-word-that-is-longer\nx');
  });
});

describe('Values for a person', () => {
  it.each([
    [0, '0ms'],
    [999, '999ms'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_660_000, '1h 1m'],
    [90_000_000, '1d 1h'],
  ])('show times in their two largest units: %d', (ms, text) => {
    expect(timeText(ms)).toBe(text);
  });

  it('show instants in UTC to the second, and counts with their thing', () => {
    expect(instantText(new Date('2026-11-27T09:00:00.987+01:00'))).toBe('2026-11-27T08:00:00Z');
    expect([countText(1, 'job'), countText(12_345, 'job'), countText(1, 'job', true)]).toEqual([
      ...['1 job', '12,345 jobs', '1+ jobs'],
    ]);
  });

  it('show bytes in base64', () => {
    expect(JSON.parse(jsonText({ payload: Uint8Array.of(1, 2) }))).toEqual({ payload: { base64: 'AQI=' } });
  });
});

describe('A question', () => {
  const asked: string[] = [];
  const terminal = (answer: string | null): Terminal => ({
    isInteractive: answer !== null,
    columns: 80,
    print: () => undefined,
    complain: () => undefined,
    clear: () => undefined,
    ask: (question) => {
      asked.push(question);
      return Promise.resolve(answer!);
    },
  });

  it.each(['y', 'YES', ' yes '])('is answered with yes: %j', async (answer) => {
    await confirm(terminal(answer), 'Delete 2 jobs?', false);
    expect(asked.at(-1)).toBe('Delete 2 jobs? [y/N] ');
  });

  it.each(['', 'n', 'yesterday'])('is not answered with yes: %j', async (answer) => {
    await expect(confirm(terminal(answer), 'Delete 2 jobs?', false)).rejects.toThrow(NotConfirmedError);
  });

  it('is not asked with --yes, and refused without a terminal', async () => {
    asked.length = 0;
    await confirm(terminal(null), 'Delete 2 jobs?', true);
    await expect(confirm(terminal(null), 'Delete 2 jobs?', false)).rejects.toThrow('Give --yes.');
    expect(asked).toEqual([]);
  });
});

describe('The value of an option', () => {
  const values = (value: string) => new Values({ option: value });

  it.each([
    ['2026-11-27T09:00:00Z', '2026-11-27T09:00:00.000Z'],
    ['2026-11-27T09:00+01:00', '2026-11-27T08:00:00.000Z'],
  ])('may be an instant with its zone: %s', (text, instant) => {
    expect(values(text).instant('option')?.toISOString()).toBe(instant);
  });

  it.each(['2026-11-27T09:00:00', '2026-11-27', 'yesterday', '2026-13-27T09:00:00Z'])(
    'is no instant, and refused: %s',
    (text) => {
      expect(() => values(text).instant('option')).toThrow(UsageError);
    },
  );

  it('may be a duration or a whole number within its bounds', () => {
    expect([values('10m').duration('option'), values('250').duration('option')]).toEqual([600_000, 250]);
    expect(() => values('-5m').duration('option')).toThrow('--option is "-5m"; it must be');
    expect(values('7').whole('option', 1, 7)).toBe(7);
    for (const text of ['0', '8', '1.5', '1e0', ''])
      expect(() => values(text).whole('option', 1, 7)).toThrow(UsageError);
  });
});

describe('docs/cli.md', () => {
  const page = readFile(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');

  it('has a row for each trouble that the doctor may find, and for no other', async () => {
    const rows = [...(await page).matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
    expect(rows.toSorted()).toEqual([...STORAGE_CODES, ...WORK_CODES].toSorted());
  });

  it('names each command and each option', async () => {
    for (const { name, options } of COMMANDS) {
      expect(await page).toMatch(new RegExp(`\`[^\`]*\\b${name}\\b`));
      for (const option of Object.keys(options))
        expect([option, (await page).includes(`--${option}`)]).toEqual([option, true]);
    }
  });
});
