import { Inject } from '@nestjs/common';
import { getJobEventsToken } from '../jobs.tokens.js';

/**
 * Injects the `JobEvents` of the `JobsModule` with this name. Those of the module without a name are also injected by their
 * type.
 */
export function InjectJobEvents(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getJobEventsToken(name));
}
