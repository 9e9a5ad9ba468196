import { branded } from './copies.js';
import { JobsError } from './errors.js';

/** `@JobHandler` stands on what can never be called. Thrown when the class is loaded; the message says what to do. */
@branded('InvalidHandlerError')
export class InvalidHandlerError extends JobsError {
  constructor(
    /** `Mails.send` */
    readonly handler: string,
    problem: string,
  ) {
    super(`@JobHandler: ${handler} ${problem}.`);
  }
}
