import { Inject } from '@nestjs/common';
import { getJobSchedulesToken } from '../jobs.tokens.js';

/**
 * Injects the `JobSchedules` of the `JobsModule` with this name. Those of the module without a name are also injected by
 * their type.
 */
export function InjectJobSchedules(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getJobSchedulesToken(name));
}
