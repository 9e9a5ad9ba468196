import {
  Controller,
  Get,
  Header,
  Inject,
  Res,
  UseGuards,
  VERSION_NEUTRAL,
  type InjectionToken,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ResolvedIdentity, ResolvedMetrics } from './metrics-options.js';

/**
 * A controller like any other of the application: its prefix, its guards and its interceptors hold for this one as well.
 * @param settings the token of the options, which may come from a factory
 */
export function metricsController(
  { path, guards }: ResolvedIdentity,
  settings: InjectionToken<ResolvedMetrics>,
): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards)
  class JobsMetricsController {
    constructor(
      @Inject(settings) private readonly options: Pick<ResolvedMetrics, 'register'>,
      @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    ) {}

    /** @param response that of Express or of Fastify */
    @Get()
    @Header('Cache-Control', 'no-store')
    metrics(@Res({ passthrough: true }) response: unknown): Promise<string> {
      const { register } = this.options;
      this.host.httpAdapter.setHeader(response, 'Content-Type', register.contentType);
      return register.metrics();
    }
  }
  return JobsMetricsController;
}
