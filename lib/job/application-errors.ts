import { branded } from './copies.js';
import { JobsError, type WithCause } from './errors.js';

/** A decorator stands on what can never be called. Thrown when the class is loaded; the message says what to do. */
@branded('InvalidHandlerError')
export class InvalidHandlerError extends JobsError {
  constructor(
    /** `Mails.send` */
    readonly handler: string,
    problem: string,
    decorator = '@JobHandler',
  ) {
    super(`${decorator}: ${handler} ${problem}.`);
  }
}

/** The application is closed, and its connections to the database with it. */
@branded('ApplicationClosedError')
export class ApplicationClosedError extends JobsError {
  constructor(options?: WithCause) {
    super(
      'The application has been closed, and its connections to the database with it. ' +
        'Await whatever enqueues or reads jobs before app.close().',
      options,
    );
  }
}
