import { SILENT_LOGGER } from '../../lib/job/logger.js';
import { resolveOptions } from '../../lib/nest/jobs.options.js';

/**
 * Of the queue through which a test fills the database and looks on, while processes keep the machine busy: it measures
 * nothing, so the database may take its time.
 */
export const OBSERVING = resolveOptions({ logger: SILENT_LOGGER, databaseTimeoutMs: 120_000 }).queue;
