import { Inject } from '@nestjs/common';
import { getJobKindsToken } from '../jobs.tokens.js';

/**
 * Injects the `JobKinds` of the `JobsModule` with this name. Those of the module without a name are also injected by their
 * type.
 */
export function InjectJobKinds(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getJobKindsToken(name));
}
