import { Inject } from '@nestjs/common';
import { getJobClientToken } from '../jobs.tokens.js';

/** Injects the `JobClient` of the `JobsModule` with this name. That of the module without a name is also injected by its type. */
export function InjectJobClient(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getJobClientToken(name));
}
