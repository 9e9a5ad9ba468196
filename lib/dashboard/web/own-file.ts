import { fileURLToPath } from 'node:url';
import { JobsError } from '../../job/errors.js';

/**
 * The path of this file. ES modules know it by `import.meta`, which a CommonJS module may not even mention, and CommonJS modules
 * by `__filename`; this file is compiled to both. V8 tells it to either.
 */
export function ownFile(): string {
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  try {
    Error.prepareStackTrace = (_error, sites) => sites[0]?.getFileName();
    const name = new Error().stack as unknown;
    if (typeof name === 'string') return name.startsWith('file:') ? fileURLToPath(name) : name;
  } finally {
    if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Object.defineProperty(Error, 'prepareStackTrace', prepare);
  }
  throw new JobsError('The folder of the package could not be found; give assetsFolder.');
}
