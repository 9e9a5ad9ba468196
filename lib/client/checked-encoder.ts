import type { JobsEvents } from '../events/jobs-events.js';
import type { ContextCarrier } from '../job/context-carrier.js';
import type { JobDefinition } from '../job/definition.js';
import { decodeDocument } from '../job/document.js';
import { JobEncoder, withKey, type EncodedJob } from '../job/encode-job.js';
import type { NewJob } from '../job/job.js';
import { encodeUniqueByPayload, type UniqueByPayload } from '../job/unique.js';

export interface CheckedEncoderSettings {
  /** Default 1 MiB. */
  readonly maxPayloadBytes?: number;
  /** @throws UnknownKindError where jobs of this kind may not be enqueued here */
  readonly requireKind?: (kind: string) => void;
  /** Checks the payloads of a kind, if its handler here has a definition. */
  readonly definitionOf?: (kind: string) => JobDefinition | undefined;
  /** What makes jobs of a kind one, if its handler here says so. */
  readonly uniqueOf?: (kind: string) => UniqueByPayload | undefined;
  readonly contextCarrier?: ContextCarrier;
  /** Tells in which trace a job is enqueued. */
  readonly events?: Pick<JobsEvents, 'instrument'>;
}

/** What a job is checked by, and what goes with that. */
interface Checks {
  readonly definition: NewJob['definition'];
  readonly unique: UniqueByPayload | undefined;
  readonly version: number | undefined;
}

/** Encodes jobs as an enqueue writes them: checked by the definition of their kind, with the key that their payload gives them. */
export class CheckedEncoder {
  private readonly encoder: JobEncoder;

  constructor(private readonly settings: CheckedEncoderSettings) {
    this.encoder = new JobEncoder(settings.maxPayloadBytes ?? 1024 * 1024);
  }

  /** Only the form of a job, which may be a part of one. @throws InvalidJobError */
  encodeUnchecked(job: NewJob): EncodedJob {
    return this.encoder.encode(job);
  }

  /**
   * At once where no definition checks the job and its payload gives it no key: a promise costs more than that.
   *
   * @param carried what goes along. Default: what the context carrier captures.
   * @param version that of the payload. Default: the one that the definition of the kind has now.
   * @throws InvalidJobError, InvalidPayloadError, UnknownKindError
   */
  encode(
    job: NewJob,
    carried = this.settings.contextCarrier?.capture(),
    version?: number,
  ): EncodedJob | Promise<EncodedJob> {
    const encoded = this.encoder.encode(job, carried, this.settings.events?.instrument?.traceContext());
    this.settings.requireKind?.(encoded.kind);
    const definition = job.definition ?? this.settings.definitionOf?.(encoded.kind);
    const unique = encoded.unique === undefined ? this.uniqueOf(encoded.kind, definition) : undefined;
    if (definition === undefined && unique === undefined && version === undefined) return encoded;
    return checked(encoded, { definition, unique, version }, job.id === undefined);
  }

  private uniqueOf(kind: string, definition: NewJob['definition']): UniqueByPayload | undefined {
    return this.settings.uniqueOf?.(kind) ?? definition?.options?.unique;
  }
}

async function checked(
  encoded: EncodedJob,
  { definition, unique, version }: Checks,
  isIdFree: boolean,
): Promise<EncodedJob> {
  const payloadVersion = version ?? definition?.version ?? encoded.payloadVersion;
  const written = { ...encoded, payloadVersion };
  // Of what the handler will read, not of what was handed over: a Date is a string by then.
  const stored = decodeDocument(encoded.payload.json, encoded.payload.bytes);
  const payload = definition === undefined ? stored : await definition.read(stored, payloadVersion);
  if (unique === undefined) return written;
  return withKey(written, encodeUniqueByPayload(unique, payload, isIdFree));
}
