import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { DataSource } from 'typeorm';
import { describeError } from '../job/describe-error.js';
import { UsageError } from './cli-errors.js';

/**
 * The DataSource that a file exports, as TypeORM's own command line takes it: by default or under a name, or a promise of
 * it; from an ES module or a CommonJS module.
 *
 * @param file relative to the current folder
 * @throws UsageError
 */
export async function loadDataSource(file: string): Promise<DataSource> {
  const path = resolve(process.cwd(), file);
  const exported = await load(path, file);
  const values = await Promise.all(exportsOf(exported));
  const found = [...new Set(values.filter(isDataSource))];
  if (found.length === 1) return found[0]!;
  throw new UsageError(
    found.length === 0
      ? `${file} exports no DataSource. Export it: export const dataSource = new DataSource({ … }).`
      : `${file} exports ${found.length} DataSources. Give a file that exports the one with the jobs alone.`,
  );
}

async function load(path: string, file: string): Promise<unknown> {
  await access(path).catch(() => {
    throw new UsageError(`There is no file ${file} in ${process.cwd()}.`);
  });
  try {
    return (await import(pathToFileURL(path).href)) as unknown;
  } catch (error) {
    const isTypeScript = /\.[cm]?ts$/.test(file);
    const advice = isTypeScript
      ? ' Give the compiled file, or run the command with a loader: NODE_OPTIONS="--import tsx" npx nestjs-typeorm-jobs …'
      : '';
    throw new UsageError(`${file} cannot be loaded: ${describeError(error).split('\n', 1)[0]!}.${advice}`, {
      cause: error,
    });
  }
}

/** A CommonJS module comes as the default export; what it exports by default is one level deeper. */
function exportsOf(module: unknown): unknown[] {
  const outer = valuesOf(module);
  const byDefault = outer.length === 0 ? undefined : (module as { readonly default?: unknown }).default;
  return [...outer, ...(isDataSource(byDefault) ? [] : valuesOf(byDefault))];
}

function valuesOf(object: unknown): unknown[] {
  return typeof object === 'object' && object !== null && !(object instanceof Promise)
    ? Object.values(object)
    : [];
}

/** The application may have another copy of TypeORM than this package. */
function isDataSource(value: unknown): value is DataSource {
  if (typeof value !== 'object' || value === null) return false;
  const { initialize, options, createQueryRunner } = value as Partial<DataSource>;
  return (
    [initialize, createQueryRunner].every((method) => typeof method === 'function') && options !== undefined
  );
}
