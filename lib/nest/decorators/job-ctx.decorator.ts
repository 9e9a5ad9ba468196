import { createParamDecorator } from '@nestjs/common';
import { JobExecutionContext } from '../job-execution-context.js';

/** The `JobContext` of the attempt. */
export const JobCtx: () => ParameterDecorator = createParamDecorator(
  (_data, host) => JobExecutionContext.from(host).context,
);
