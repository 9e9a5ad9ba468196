import type { ServerResponse } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** A signal that aborts when the client has gone away. */
export const RequestSignal = createParamDecorator(
  (_data: unknown, context: ExecutionContext): AbortSignal => {
    const gone = new AbortController();
    const response = context.switchToHttp().getResponse<ServerResponse>();
    response.once('close', () => gone.abort());
    return gone.signal;
  },
);
