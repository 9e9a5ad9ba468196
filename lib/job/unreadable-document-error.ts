import { branded } from './copies.js';
import { JobsError } from './errors.js';

/**
 * A stored payload, result or context is no JSON: something else than this package has written it. `get` rejects with
 * it; a claimed job fails with it as the cause. Correct the row, or delete it. The message holds nothing of the text.
 */
@branded('UnreadableDocumentError')
export class UnreadableDocumentError extends JobsError {
  constructor(
    /** `payload`, `result` or `carried`. */
    readonly document: string,
  ) {
    super(
      `The stored ${document} is no JSON, so it cannot be read. This package has not written it like that: ` +
        'correct the row, or delete it.',
    );
  }
}
