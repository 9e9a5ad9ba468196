import type { JobsLogger } from '../../job/logger.js';
import { endsWithin } from '../../async/timers.js';
import { AUDIT_TEXT, type AuditedOutcome, type AuditStore } from '../../queue/audit-store.js';
import type { Changed } from '../api/actions.js';
import type { JobsSources } from '../jobs-sources.js';
import { DashboardRefusal } from '../web/refusal.js';
import type { ActionBody } from './action-body.js';
import type { Action, ActionContext, ActionDone, ActionName } from './action.js';
import { ACTIONS } from './actions.js';

/** After so long a page is told that its action goes on. Proxies wait for an answer for a minute and less. */
const WAIT_MS = 10_000;

/** Who asks for an action, and what they may see. */
export interface Actor {
  readonly who: string;
  readonly mayReveal: boolean;
}

/** Carries out actions, and writes each into the audit: before it begins, and when it has ended. */
export class AuditedActions {
  private readonly stopping = new AbortController();
  private readonly running = new Set<Promise<unknown>>();

  /** @param onChange is called when an action has ended, well or not */
  constructor(
    private readonly sources: JobsSources,
    private readonly logger: Pick<JobsLogger, 'warn'>,
    private readonly onChange: () => void,
    private readonly waitMs = WAIT_MS,
  ) {}

  /** @returns what the page is told @throws DashboardRefusal, and what the clients throw */
  async carryOut(name: ActionName, body: ActionBody, { who, mayReveal }: Actor): Promise<unknown> {
    const { signal } = this.stopping;
    if (signal.aborted) throw new DashboardRefusal('closing', 'The application ends.');
    const action: Action = ACTIONS[name];
    const context: ActionContext = { ...this.sources, body, mayReveal, signal };
    if (action.isDryRun?.(body) === true) return (await action.run(context)).answer;
    const target = action.target(body);
    const seq = await this.audit.begin({ who: short(who), action: name, target: short(target) });
    const work = this.watched(this.audited(seq, action.run(context)));
    if (action.mayGoOn !== true || (await endsWithin(work, this.waitMs))) return (await work).answer;
    return { matched: 0, changed: 0, problems: [], goesOn: true } satisfies Changed;
  }

  /** Ends what goes on. What is done stays done. */
  async stop(): Promise<void> {
    this.stopping.abort(
      new DashboardRefusal('closing', 'The application ended; what was done until then stays.'),
    );
    await Promise.allSettled(this.running);
  }

  private async audited<Answer>(seq: number, work: Promise<ActionDone<Answer>>): Promise<ActionDone<Answer>> {
    try {
      const done = await work;
      await this.end(seq, { changed: done.changed, problem: done.problem ?? null });
      return done;
    } catch (error) {
      await this.end(seq, { changed: null, problem: (error as Error).message });
      throw error;
    } finally {
      this.onChange();
    }
  }

  /** What has been done cannot be taken back because the audit could not be written. */
  private async end(seq: number, { changed, problem }: AuditedOutcome): Promise<void> {
    const outcome = { changed, problem: problem === null ? null : short(problem) };
    try {
      await this.audit.end(seq, outcome);
    } catch (error) {
      this.logger.warn(
        `Could not write into the audit what became of action ${seq}: ${(error as Error).message}`,
      );
    }
  }

  private watched<T>(work: Promise<T>): Promise<T> {
    this.running.add(work);
    const forget = () => void this.running.delete(work);
    work.then(forget, forget);
    return work;
  }

  private get audit(): AuditStore {
    return this.sources.queue.audit;
  }
}

function short(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD').slice(0, AUDIT_TEXT).toWellFormed();
}
