import type { DiscoveryService } from '@nestjs/core';
import { likelyName } from '../job/did-you-mean.js';
import { InvalidOptionError, JobsError } from '../job/errors.js';
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

/** The names of all `JobsModule`s of an application. */
function namesOfModules(discovery: DiscoveryService): string[] {
  const prefix = internalToken('options', '');
  const tokens = discovery.getProviders().map(({ token }) => token);
  return tokens
    .filter((token): token is string => typeof token === 'string' && token.startsWith(prefix))
    .map((token) => token.slice(prefix.length));
}
