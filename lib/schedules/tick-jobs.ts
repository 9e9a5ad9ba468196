import type { TraceContext } from '../job/carriage.js';
import type { JobDefinition } from '../job/definition.js';
import { decodeDocument, encodeDocument } from '../job/document.js';
import { JobEncoder, type EncodedJob } from '../job/encode-job.js';
import { InvalidScheduleError } from '../job/errors.js';
import { encodeSettings } from '../job/settings.js';
import type { StoredSchedule, TickJob } from '../queue/schedule-store.js';
import { jitterOf } from './jitter.js';
import type { ResolvedSchedule } from './resolve-schedule.js';
import type { ScheduleTerms } from './schedule-terms.js';

/** What a job of a schedule is made of. */
export interface TickJobParts {
  readonly schedule: Pick<StoredSchedule, 'name' | 'kind'>;
  readonly terms: Pick<ScheduleTerms, 'jitterMs' | 'priority' | 'maxAttempts' | 'tags'>;
  readonly payload: unknown;
  readonly tick: Date;
}

export interface TickJobsSettings {
  readonly maxPayloadBytes: number;
  /** Checks the payloads of a kind, if its handler here has a definition. */
  readonly definitionOf?: (kind: string) => JobDefinition | undefined;
}

/** Makes the jobs of ticks, checked as those of an enqueue are. */
export class TickJobs {
  private readonly encoder: JobEncoder;

  constructor(private readonly settings: TickJobsSettings) {
    this.encoder = new JobEncoder(settings.maxPayloadBytes);
  }

  /** The job of a tick. @param trace what it takes along @throws InvalidJobError, InvalidPayloadError */
  async ofTick(parts: TickJobParts, trace?: TraceContext): Promise<TickJob> {
    const { schedule, terms, tick } = parts;
    const runAt = new Date(tick.getTime() + jitterOf(schedule.name, tick, terms.jitterMs));
    const when = { id: jobIdOf(schedule.name, tick), runAt };
    return { tick, job: await this.encode(parts, when, undefined, trace) };
  }

  /** A job that is run at once, with an id like any other. @throws InvalidJobError, InvalidPayloadError */
  byHand(parts: TickJobParts, carried?: unknown, trace?: TraceContext): Promise<EncodedJob> {
    return this.encode(parts, {}, carried, trace);
  }

  /** The payload of a schedule as it is stored: JSON. @throws InvalidJobError */
  encodePayload(payload: unknown): string | null {
    return encodeDocument(payload, 'payload', this.settings.maxPayloadBytes).json;
  }

  /**
   * The same for a schedule that is made at run time, whose payload is checked as its jobs will be.
   * @throws InvalidJobError, InvalidPayloadError, InvalidScheduleError
   */
  async storedPayload(kind: string, payload: unknown): Promise<string | null> {
    const { json, bytes } = encodeDocument(payload, 'payload', this.settings.maxPayloadBytes);
    if (bytes !== null)
      throw new InvalidScheduleError(
        'payload',
        'has bytes; a schedule that is made at run time keeps a JSON value.',
      );
    const definition = this.settings.definitionOf?.(kind);
    await definition?.read(decodeDocument(json, null), definition.version);
    return json;
  }

  private async encode(
    { schedule: { name, kind }, terms: { priority, maxAttempts, tags }, payload, tick }: TickJobParts,
    when: { readonly id?: string; readonly runAt?: Date },
    carried?: unknown,
    trace?: TraceContext,
  ): Promise<EncodedJob> {
    const encoded = this.encoder.encode({ kind, payload, priority, maxAttempts, ...when }, carried, trace);
    const settings = encodeSettings({
      ...(tags.length > 0 && { tags }),
      schedule: name,
      tick: tick.getTime(),
    });
    const definition = this.settings.definitionOf?.(kind);
    if (definition === undefined) return { ...encoded, settings };
    await definition.read(decodeDocument(encoded.payload.json, encoded.payload.bytes), definition.version);
    return { ...encoded, settings, payloadVersion: definition.version };
  }
}

/** The id of the job of a tick. */
export function jobIdOf(name: string, tick: Date): string {
  return `${name}@${tick.toISOString()}`;
}

/** What the jobs of a schedule that is declared here get. A function may take its time. */
export async function payloadOf({ payload }: ResolvedSchedule, tick: Date): Promise<unknown> {
  return typeof payload === 'function' ? await payload(new Date(tick)) : payload;
}

/** What the jobs of a stored schedule get. */
export function storedPayloadOf({ payload }: Pick<StoredSchedule, 'payload'>): unknown {
  return decodeDocument(payload, null);
}
