import type { DiagnosisDialect } from '../sql/dialect.js';

/** There are no sessions here that could be listed. */
export const diagnosis: DiagnosisDialect = {
  longTransaction: () => Promise.resolve(null),
};
