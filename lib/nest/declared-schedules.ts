import type { DiscoveryService } from '@nestjs/core';
import { InvalidScheduleError } from '../job/errors.js';
import { HANDLER_RULES } from '../job/handler-options.js';
import { resolveSchedule } from '../schedules/resolve-schedule.js';
import type { ScheduleSpec } from '../schedules/schedule-options.js';
import type { ScheduleRegistry } from '../schedules/schedule-registry.js';
import { isHandler, marksOf, scheduleMarksOf, type JobScheduleMark } from './jobs.metadata.js';
import { DEFAULT_NAME } from './jobs.tokens.js';
import { requireModule } from './module-checks.js';

/** Registers the schedules of methods that belong to one module. */
export class DeclaredSchedules {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly registry: ScheduleRegistry,
    /** The name of the module. */
    private readonly name: string,
  ) {}

  /**
   * Registers what stands on a method.
   * @param declaredAt for messages: `Reports.nightly in ReportModule`
   * @throws InvalidScheduleError, InvalidOptionError, ScheduleExistsError
   */
  add(method: object, declaredAt: string): void {
    for (const mark of scheduleMarksOf(method)) {
      requireNameOfHandler(method, mark, declaredAt);
      const { kind, queue } = handlerOf(method, mark, declaredAt);
      if (queue !== this.name) {
        requireModule(this.discovery, queue, declaredAt);
        continue;
      }
      this.registry.add(this.resolve(mark, kind, declaredAt), declaredAt);
    }
  }

  private resolve({ times, options }: JobScheduleMark, kind: string, declaredAt: string) {
    const { queue: _queue, ...rest } = options;
    const spec = { ...rest, ...(typeof times === 'string' ? { cron: times } : times) } as ScheduleSpec;
    try {
      return resolveSchedule(spec, kind);
    } catch (cause) {
      if (!(cause instanceof InvalidScheduleError)) throw cause;
      throw new InvalidScheduleError(`${declaredAt}: ${cause.path}`, cause.problem, { cause });
    }
  }
}

/** A method that is handler and schedule in one has no other name to go by. @throws InvalidScheduleError */
function requireNameOfHandler(method: object, { options }: JobScheduleMark, declaredAt: string): void {
  if (isHandler(method) || options.name !== undefined) return;
  throw new InvalidScheduleError(
    `${declaredAt}: name`,
    `is left out. A method with @JobSchedule and no @JobHandler is the handler as well: give it a name, which is then its kind.`,
  );
}

/**
 * The kind of the jobs where the schedule does not say it, and the module that it belongs to: those of the method's handler.
 * @throws InvalidScheduleError, InvalidOptionError
 */
function handlerOf(
  method: object,
  { options }: JobScheduleMark,
  declaredAt: string,
): { readonly kind: string; readonly queue: string } {
  if (options.queue !== undefined)
    HANDLER_RULES.queue.check(options.queue, `${declaredAt}: queue`, undefined);
  const handlers = marksOf(method).filter(
    (mark) => options.queue === undefined || (mark.options.queue ?? DEFAULT_NAME) === options.queue,
  );
  const own = isHandler(method)
    ? handlers
    : handlers.filter(({ kind }) => kind === (options.kind ?? options.name));
  const meant = own.filter(({ kind }) => options.kind === undefined || kind === options.kind);
  const one = meant[0] ?? own[0];
  const queue = options.queue ?? one?.options.queue ?? DEFAULT_NAME;
  if (options.kind === undefined && new Set(own.map(({ kind }) => kind)).size > 1)
    throw new InvalidScheduleError(
      `${declaredAt}: kind`,
      `is left out, and the method serves ${own.map(({ kind }) => kind).join(' and ')}. Say which of them.`,
    );
  return { kind: one?.kind ?? '', queue };
}
