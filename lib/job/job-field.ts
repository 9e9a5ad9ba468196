import { InvalidJobError, InvalidOptionError } from './errors.js';

/**
 * Reads a field of a new job that is an object or a list. It may be anything: a proxy, a getter that throws.
 *
 * @throws InvalidJobError whatever `read` throws
 */
export function readField<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidJobError) throw error;
    if (error instanceof InvalidOptionError) throw asJobError(error);
    throw new InvalidJobError(path, 'cannot be read.', { cause: error });
  }
}

/** The same words as for an option of a handler. */
function asJobError(error: InvalidOptionError): InvalidJobError {
  const problem = error.message.slice(`Option "${error.option}" `.length);
  return new InvalidJobError(error.option, problem, { cause: error });
}
