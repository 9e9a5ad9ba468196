import { createParamDecorator } from '@nestjs/common';
import { JobExecutionContext } from '../job-execution-context.js';

/** The job. */
export const JobParam: () => ParameterDecorator = createParamDecorator(
  (_data, host) => JobExecutionContext.from(host).job,
);
