import { branded } from '../job/copies.js';
import { JobsError } from '../job/errors.js';

/** The command line cannot be carried out as it is. Nothing was changed. */
@branded('UsageError')
export class UsageError extends JobsError {}

/** A change was not confirmed. Nothing was changed. */
@branded('NotConfirmedError')
export class NotConfirmedError extends JobsError {}

/** What a command was to work on is not there, or did not let it. */
@branded('CommandFailedError')
export class CommandFailedError extends JobsError {}
