import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

export const root = join(import.meta.dirname, '../..');

/** A fenced block of a page. */
export interface Block {
  /** `README.md:40`, the line of the block's first line. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
  /** What stands in the comment before it. */
  readonly comment: string;
}

const BLOCK = /(?:<!--((?:(?!-->)[^])*)-->\n)?```(\w+)\n([^]*?)\n```/g;

/** The text of each page, by its path from the root. */
export async function readPages(): Promise<Map<string, string>> {
  const isPage = (name: string) => name.endsWith('.md');
  const atRoot = (await readdir(root)).filter(isPage);
  const inDocs = (await readdir(join(root, 'docs'))).filter(isPage).map((name) => `docs/${name}`);
  const files = [...atRoot, ...inDocs].map(
    async (file) => [file, await readFile(join(root, file), 'utf8')] as const,
  );
  return new Map(await Promise.all(files));
}

export function blocksIn(all: ReadonlyMap<string, string>): Block[] {
  return [...all].flatMap(([file, markdown]) => {
    return [...markdown.matchAll(BLOCK)].map(([whole, comment = '', language, text]): Block => {
      const start = markdown.indexOf(whole) + whole.indexOf('```');
      const line = markdown.slice(0, start).split('\n').length + 1;
      return { place: `${file}:${String(line)}`, language: language!, text: text!, comment: comment.trim() };
    });
  });
}

/** Those of this repository, for blocks that import the package. */
export function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const given = config as { compilerOptions: object };
  const overrides = {
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: {
      'nestjs-typeorm-jobs': ['./lib/index.ts'],
      ...Object.fromEntries(
        ['testing', 'dashboard', 'telemetry', 'prometheus', 'health'].map((name) => [
          `nestjs-typeorm-jobs/${name}`,
          [`./lib/${name}/index.ts`],
        ]),
      ),
      'nestjs-typeorm-jobs/*': ['./lib/adapters/*.ts'],
    },
  };
  const adapted = {
    ...given,
    compilerOptions: { ...given.compilerOptions, ...overrides },
    include: [],
    files: ['x'],
  };
  return ts.parseJsonConfigFileContent(adapted, ts.sys, root).options;
}

/** Runs a block as a module. It is compiled into a folder from which the packages of this repository can be found. */
export async function load({ text }: Block): Promise<Record<string, unknown>> {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { ...compilerOptions(), noEmit: false, module: ts.ModuleKind.ESNext },
  });
  const cache = join(root, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'readme-'));
  try {
    const file = join(folder, 'example.mjs');
    await writeFile(file, outputText);
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } finally {
    await rm(folder, { recursive: true });
  }
}
