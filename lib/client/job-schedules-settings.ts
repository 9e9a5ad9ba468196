import type { JobsEvents } from '../events/jobs-events.js';
import type { ContextCarrier } from '../job/context-carrier.js';
import type { WriteTargetSettings } from './write-target.js';

/** What `JobSchedules` needs to know, as the module's options say it. */
export interface JobSchedulesSettings extends WriteTargetSettings {
  /** @throws UnknownKindError where jobs of this kind may not be enqueued here */
  readonly requireKind?: (kind: string) => void;
  readonly contextCarrier?: ContextCarrier;
  readonly events?: JobsEvents;
  /** Finds the schedules that are declared in code, unless that has been done. */
  readonly explore?: () => void;
}
