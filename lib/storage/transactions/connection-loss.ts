import { EventEmitter } from 'node:events';
import { JobsError } from '../../job/errors.js';

/**
 * Remembers why the server ended a connection. It says so once, when it does; what is sent over the connection later fails
 * with an error that knows nothing of it.
 */
export class ConnectionLoss {
  private reason: Error | undefined;

  /** @param connection of the driver */
  constructor(private readonly connection: unknown) {
    if (connection instanceof EventEmitter) connection.on('error', this.hear);
  }

  stop(): void {
    if (this.connection instanceof EventEmitter) this.connection.off('error', this.hear);
  }

  /** An error that tells of the loss, if there was one; otherwise the error itself. */
  explain(error: unknown): unknown {
    if (this.reason === undefined || error === this.reason) return error;
    return new JobsError(`The server ended the connection of the transaction: ${this.reason.message}`, {
      cause: error,
    });
  }

  private readonly hear = (error: Error): void => {
    this.reason ??= error;
  };
}
