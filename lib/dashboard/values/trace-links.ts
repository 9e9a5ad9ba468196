import type { Job } from '../../job/job.js';
import { TRACE_ID, type TraceUrl } from '../dashboard.options.js';
import { isWebUrl } from './web-url.js';

/** Where the traces of jobs are shown. */
export class TraceLinks {
  private hasWarned = false;

  /**
   * @param option as the dashboard has it
   * @param warn told once of what a function of the option did wrong
   */
  constructor(
    private readonly option: string | TraceUrl | undefined,
    private readonly warn: (message: string) => void,
  ) {}

  /** Null where there is no link. A function that fails takes the link away, and not the page. */
  of(traceId: string, job: Job): string | null {
    const { option } = this;
    if (option === undefined) return null;
    if (typeof option === 'string') return option.replaceAll(TRACE_ID, traceId);
    try {
      const url = option(traceId, job);
      if (url === null || isWebUrl(url)) return url;
      this.warnOnce(`returned ${JSON.stringify(url)} for the job ${JSON.stringify(job.id)}`);
    } catch (error) {
      this.warnOnce(`threw for the job ${JSON.stringify(job.id)}: ${String(error)}`);
    }
    return null;
  }

  private warnOnce(what: string): void {
    if (this.hasWarned) return;
    this.hasWarned = true;
    this.warn(
      `traceUrl of the dashboard ${what}. It must return a URL that begins with http:// or https://, or null. The page shows the ` +
        'id of the trace without a link; this is told once.',
    );
  }
}
