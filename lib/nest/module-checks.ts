import type { DiscoveryService } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { likelyName } from '../job/did-you-mean.js';
import { InvalidOptionError, JobsError } from '../job/errors.js';
import type { ResolvedIdentity, ResolvedOptions } from './jobs.options.js';
import { getJobClientToken, internalToken } from './jobs.tokens.js';

/** @throws JobsError where two modules of the application have this name */
export function requireOwnName(discovery: DiscoveryService, name: string): void {
  const token = getJobClientToken(name);
  const clients = discovery.getProviders().filter((wrapper) => wrapper.token === token && !wrapper.isAlias);
  if (clients.length <= 1) return;
  throw new JobsError(
    `There are ${clients.length} JobsModules with the name "${name}". ` +
      `Import JobsModule.forRoot() once, in the root module, or give each its own name.`,
  );
}

/**
 * A handler of a module that the application does not have would never be called.
 * @throws InvalidOptionError
 */
export function requireModule(discovery: DiscoveryService, queue: string, declaredAt: string): void {
  const names = namesOfModules(discovery);
  if (names.includes(queue)) return;
  const meant = likelyName(queue, names);
  const question = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  const allowed = `the name of a JobsModule of this application.${question} There are ${names.join(', ')}`;
  throw new InvalidOptionError(`${declaredAt}: queue`, queue, allowed);
}

/**
 * Two modules on one table would run each other's jobs.
 * @throws JobsError naming both modules and the table
 */
export function requireOwnTable(discovery: DiscoveryService, { name }: ResolvedIdentity): void {
  const tables = optionsOfModules(discovery).map((options) => tableOf(discovery, options));
  const own = tables.find((table) => table.module === name);
  const other = tables.find((table) => table !== own && table.module !== name && isSame(table, own));
  if (other === undefined) return;
  throw new JobsError(
    `The JobsModules "${name}" and "${other.module}" keep their jobs in one table, ${other.table}, so each would run the ` +
      `other's. Give each its own tablePrefix, or leave it out: by default it follows from the name.`,
  );
}

interface ModuleTable {
  readonly module: string;
  readonly dataSource: unknown;
  readonly schema: string | undefined;
  readonly table: string;
}

/** Off PostgreSQL the case of a table's name may not count: on SQLite, and on MySQL with `lower_case_table_names`. */
function tableOf(discovery: DiscoveryService, { name, dataSource, queue }: ResolvedOptions): ModuleTable {
  const token = getDataSourceToken(dataSource);
  const found = discovery.getProviders().find((wrapper) => wrapper.token === token)?.instance as
    Pick<DataSource, 'options' | 'driver'> | undefined;
  const table = `${queue.tablePrefix}jobs`;
  const isFolded = found !== undefined && found.options.type !== 'postgres';
  return {
    module: name,
    dataSource: token,
    schema: queue.schema ?? found?.driver.schema,
    table: isFolded ? table.toLowerCase() : table,
  };
}

function isSame(one: ModuleTable, other: ModuleTable | undefined): boolean {
  if (other === undefined) return false;
  return one.dataSource === other.dataSource && one.schema === other.schema && one.table === other.table;
}

/** The names of all `JobsModule`s of an application. */
function namesOfModules(discovery: DiscoveryService): string[] {
  return optionsOfModules(discovery).map(({ name }) => name);
}

function optionsOfModules(discovery: DiscoveryService): ResolvedOptions[] {
  const prefix = internalToken('options', '');
  return discovery
    .getProviders()
    .filter(({ token }) => typeof token === 'string' && token.startsWith(prefix))
    .map(({ instance }) => instance as ResolvedOptions);
}
