import { access, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { DataSource, EntityManager } from 'typeorm';
import ts from 'typescript';
import { JobClient, jobsMigrations } from '../../lib/index.js';
import {
  anyServer,
  describeOn,
  oneOfEach,
  servers,
  TestDatabase,
  type TestServer,
} from '../support/databases.js';
import { blocksIn, compilerOptions, load, readPages, root, type Block } from '../support/pages.js';
import { until } from '../support/until.js';

/*
 * Reads the fenced blocks of README.md and docs/*.md and holds them to what they say. An HTML comment right before a
 * block, which readers do not see, says more about it:
 *
 * - ts: type-checked as a module. `<!-- given … -->` holds the imports and declarations that the text leaves out;
 *   `<!-- run -->` marks the example that is run as well, and `<!-- run … -->` one that another suite runs.
 * - sql: run on every PostgreSQL, or with `<!-- mysql -->` on MariaDB.
 * - sh: each `npm run …` must be a script of package.json.
 *
 * Relative links must lead to a file that exists, and to one of its headings where they name one.
 */
let pages: Map<string, string>;
let blocks: Block[];
const blocksOf = (language: string): Block[] => blocks.filter((block) => block.language === language);

beforeAll(async () => {
  pages = await readPages();
  blocks = blocksIn(pages);
});

describe('The ts blocks of README.md and docs', () => {
  const wrong: Block = {
    place: 'wrong.md:1',
    language: 'ts',
    comment: 'given\ndeclare const two: string;',
    text: "import { JobClient } from 'nestjs-typeorm-jobs';\nexport const one: number = JobClient.name + two;",
  };
  let problems: string[];

  beforeAll(() => {
    expect(blocksOf('ts').length).toBeGreaterThan(5);
    problems = compile([...blocksOf('ts'), wrong]);
  });

  it('compile against the library, with the strictness of this repository', () => {
    expect(problems.filter((problem) => !problem.startsWith('wrong.md'))).toEqual([]);
  });

  it('would be found out, line by line, where they did not', () => {
    expect(problems).toContain("wrong.md:2 Type 'string' is not assignable to type 'number'.");
  });
});

describe('The relative links of the pages', () => {
  it('lead to files and headings that exist', async () => {
    expect(linksOf(pages.get('README.md')!).length).toBeGreaterThan(10);
    const problems = await Promise.all([...pages].map(([file, markdown]) => brokenLinks(file, markdown)));
    expect(problems.flat()).toEqual([]);
  });

  it('are reported one by one if they lead nowhere', async () => {
    const markdown = [
      '# A page, `with_code` & more',
      'See [a file](none.md), [a heading](how-it-works.md#none), [one here](#nowhere), [a folder](../none/).',
      'See [itself](#a-page-with_code--more), [a file](../LICENSE), [elsewhere](https://example.com/none.md#none).',
      'See `[no link](none.md)`.',
      '```md\n# No heading\n[no link](none.md)\n```',
      '[code is no heading](#no-heading)',
    ].join('\n\n');
    expect(await brokenLinks('docs/wrong.md', markdown)).toEqual(
      ['none.md', 'how-it-works.md#none', '#nowhere', '../none/', '#no-heading'].map(
        (target) => `docs/wrong.md: ${target}`,
      ),
    );
  });
});

describe('The sh blocks', () => {
  it('name only scripts that there are', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = blocksOf('sh').flatMap(({ text, place }) =>
      [...text.matchAll(/npm (?:run )?(?!ci\b|install\b)(\S+)/g)].map(([, script]) => ({ place, script })),
    );
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter(({ script }) => scripts[script!] === undefined)).toEqual([]);
  });
});

describe('The example of README.md', () => {
  it('confirms an order that was placed, and only one that was placed', async () => {
    const database = await TestDatabase.create(anyServer());
    process.env.DATABASE_URL = database.url;
    const [example] = blocks.filter(({ comment }) => comment === 'run');
    const { AppModule, OrderService } = await load(example!);
    const app = await Test.createTestingModule({ imports: [AppModule as Type] }).compile();
    try {
      await app.init();
      const orders = app.get<{ place(email: string | null): Promise<{ id: number }> }>(OrderService as Type);
      await expect(orders.place(null)).rejects.toThrow();
      const { id: orderId } = await orders.place('somebody@example.com');
      const { dataSource } = orders as unknown as { dataSource: DataSource };
      const stored = async () => {
        const rows: { id: string }[] = await dataSource.query('SELECT id FROM nest_jobs');
        return Promise.all(rows.map(({ id }) => app.get(JobClient).get(id)));
      };
      await until(async () => (await stored())[0]?.status !== 'PENDING', { what: 'an end of the job' });
      expect(await stored()).toEqual([
        expect.objectContaining({
          kind: 'order.confirm',
          payload: { orderId },
          status: 'DONE',
          result: { sentTo: 'somebody@example.com' },
        }),
      ]);
    } finally {
      await app.close();
      await database.drop();
    }
  });
});

describeOn(servers, 'The sql blocks, on $name', (server) => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await TestDatabase.create(server);
    dataSource = await database.connect({ migrations: jobsMigrations() });
    await dataSource.runMigrations();
  });

  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('run on a jobs table', async () => {
    const mine = blocksFor(server);
    expect(mine.length).toBeGreaterThan(2);
    for (const { text, place } of mine) {
      for (const statement of statementsOf(text)) {
        const outcome = await dataSource.query(statement).then(
          () => 'well',
          (error: unknown) => `${place}: ${String(error)}`,
        );
        expect(outcome).toBe('well');
      }
    }
  });

  it('enqueue a job that has all it needs to run', async () => {
    const [insert] = blocksFor(server).filter(({ place }) => place.startsWith('docs/enqueue.md'));
    await dataSource.query('DELETE FROM nest_jobs');
    for (const statement of statementsOf(insert!.text)) await dataSource.query(statement);
    const [row] = await rowsOf(dataSource.manager);
    expect(row).toMatchObject({
      kind: 'order.confirm',
      status: 'PENDING',
      attempts_done: 0,
      locked_by: null,
    });
  });

  it('run a failed job again, and no other', async () => {
    const [insert] = blocksFor(server).filter(({ place }) => place.startsWith('docs/enqueue.md'));
    const [again] = blocksFor(server).filter(({ text }) => /^UPDATE nest_jobs/.test(text));
    await dataSource.query('DELETE FROM nest_jobs');
    await dataSource.query(insert!.text);
    await dataSource.query(
      "UPDATE nest_jobs SET id = 'invoice-4711', attempts_done = 3, crashes = 1, lease_token = 4",
    );
    await dataSource.query(again!.text);
    expect(await rowsOf(dataSource.manager)).toMatchObject([{ attempts_done: 3, status: 'PENDING' }]);
    await dataSource.query("UPDATE nest_jobs SET status = 'FAILED'");
    await dataSource.query(again!.text);
    expect(await rowsOf(dataSource.manager)).toMatchObject([
      { status: 'PENDING', attempts_done: 0, crashes: 0, lease_token: 4 },
    ]);
  });

  it('delete old rows that are done, and no other', async () => {
    const [prune] = blocksFor(server).filter(({ text }) =>
      /DELETE FROM nest_jobs\s+WHERE (id = ANY|status = 'DONE')/.test(text),
    );
    await dataSource.query('DELETE FROM nest_jobs');
    const old = "'2020-01-01 00:00:00'";
    const now = server.type === 'postgres' ? 'now()' : 'UTC_TIMESTAMP(6)';
    const rows = [
      ['old-done', 'DONE', old],
      ['new-done', 'DONE', now],
      ['old-failed', 'FAILED', old],
      ['old-pending', 'PENDING', old],
    ].map(([id, status, at]) => `('${id!}', 'k', '${status!}', ${at!}, ${at!}, ${at!})`);
    await dataSource.query(
      `INSERT INTO nest_jobs (id, kind, status, run_at, created_at, updated_at) VALUES ${rows.join(', ')}`,
    );
    for (const statement of statementsOf(prune!.text)) await dataSource.query(statement);
    const left = (await rowsOf(dataSource.manager)).map(({ id }) => id);
    expect(left.toSorted()).toEqual(['new-done', 'old-failed', 'old-pending']);
  });
});

it('has statements for every type of server that there is', () => {
  for (const server of oneOfEach) expect(blocksFor(server).length).toBeGreaterThan(0);
});

function blocksFor({ type }: TestServer): Block[] {
  return blocksOf('sql').filter(({ comment }) => (comment === 'mysql' ? 'mysql' : 'postgres') === type);
}

/** @returns the relative links that lead nowhere, as `page: target` */
async function brokenLinks(file: string, markdown: string): Promise<string[]> {
  const broken = await Promise.all(
    linksOf(markdown).map(async (target) => {
      const [path = '', anchor] = target.split('#');
      const place = path === '' ? file : relative(root, join(root, dirname(file), path));
      const text = path === '' ? markdown : pages.get(place);
      const exists = text !== undefined || (await isThere(place));
      const isFound = exists && (anchor === undefined || anchorsOf(text ?? '').includes(anchor));
      return isFound ? [] : [`${file}: ${target}`];
    }),
  );
  return broken.flat();
}

function linksOf(markdown: string): string[] {
  const text = withoutBlocks(markdown).replace(/`[^`\n]*`/g, '');
  const targets = [...text.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutBlocks(markdown).matchAll(/^#{1,6} +(.*?)\s*$/gm)].map(([, heading]) => {
    const shown = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = shown.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${String(count)}`;
  });
}

function withoutBlocks(markdown: string): string {
  return markdown.replace(/^```[^]*?^```$/gm, '');
}

async function isThere(path: string): Promise<boolean> {
  return access(join(root, path)).then(
    () => true,
    () => false,
  );
}

function statementsOf(text: string): string[] {
  return text
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

async function rowsOf(manager: EntityManager): Promise<Record<string, unknown>[]> {
  return manager.query<Record<string, unknown>[]>('SELECT * FROM nest_jobs');
}

/** @returns what is wrong, with the place in the page where it stands */
function compile(given: readonly Block[]): string[] {
  const sources = new Map(given.map((block, index) => [join(root, `block-${String(index)}.ts`), block]));
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const onDisk = { ...host };
  host.fileExists = (file) => sources.has(file) || onDisk.fileExists(file);
  host.getSourceFile = (file, format, ...rest) => {
    const block = sources.get(file);
    if (block === undefined) return onDisk.getSourceFile(file, format, ...rest);
    return ts.createSourceFile(file, `${givenOf(block)}${block.text}\n`, format, true);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources].flatMap(([name, block]) => {
    const source = program.getSourceFile(name)!;
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    const [page, first] = block.place.split(':');
    const offset = Number(first) - givenOf(block).split('\n').length + 1;
    return found.map(({ start = 0, messageText }) => {
      const line = source.getLineAndCharacterOfPosition(start).line + offset;
      return `${page!}:${String(line)} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}

/** What the text around a block leaves out. */
function givenOf({ comment }: Block): string {
  return comment.startsWith('given') ? `${comment.slice('given'.length).trim()}\n` : '';
}
