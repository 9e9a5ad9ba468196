import 'reflect-metadata';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { HANDLER_RULES } from '../../lib/job/handler-options.js';
import { MODULE_RULES } from '../../lib/nest/module-options.js';
import { WORKER_RULES } from '../../lib/nest/worker-options.js';

/** The rows of the table below a heading. @returns what stands under "Default", by the name of the option */
async function defaultsOf(page: string, heading: string): Promise<Record<string, string>> {
  const markdown = await readFile(join(import.meta.dirname, '../../docs', page), 'utf8');
  const [, section] = markdown.split(`\n## ${heading}\n`);
  const [chapter] = section!.split('\n## ');
  const rows = [...chapter!.matchAll(/^\| `(\w+)` \| (.*?) \| .* \|$/gm)];
  return Object.fromEntries(rows.map(([, name, value]) => [name!, value!]));
}

/** A value as the pages write it: 30,000 · 1 MiB · `'auto'` · `{ type: 'exponential' }`. */
function written(value: unknown): string {
  if (typeof value !== 'number') return `\`${inspect(value)}\``;
  if (value % 2 ** 20 === 0) return `${value / 2 ** 20} MiB`;
  return value < 10_000 ? String(value) : value.toLocaleString('en');
}

interface Table {
  readonly whose: string;
  readonly page: string;
  readonly heading: string;
  readonly rules: Readonly<Record<string, { readonly default?: unknown; readonly check: unknown }>>;
}

const tables: Table[] = [
  { whose: 'the module', page: 'options.md', heading: 'Module', rules: MODULE_RULES },
  { whose: 'the worker', page: 'options.md', heading: 'Worker', rules: WORKER_RULES },
  { whose: 'a handler', page: 'handlers.md', heading: 'Options of a handler', rules: HANDLER_RULES },
];

describe.each(tables)('The table of the options of $whose', ({ page, heading, rules }) => {
  it('has a row for each option, and no other', async () => {
    const documented = Object.keys(await defaultsOf(page, heading));
    expect(documented.toSorted()).toEqual(Object.keys(rules).toSorted());
  });

  it('shows the defaults', async () => {
    const documented = await defaultsOf(page, heading);
    const constant = Object.entries(rules).filter(([, rule]) => rule.default !== undefined);
    expect(constant.length).toBeGreaterThan(1);
    for (const [name, rule] of constant)
      expect([name, documented[name]]).toEqual([name, written(rule.default)]);
  });

  it('shows no value where there is no fixed one', async () => {
    const documented = await defaultsOf(page, heading);
    const others = Object.entries(rules).filter(([, rule]) => rule.default === undefined);
    for (const [name] of others)
      expect([name, documented[name]]).not.toEqual([name, expect.stringMatching(/^[\d,]+$|^`[^`]*`$/)]);
  });
});
