import { Controller, Get, Header, UseGuards, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import type { ResolvedMetrics } from './metrics-options.js';

/** A controller like any other of the application: its prefix, its guards and its interceptors hold for this one as well. */
export function metricsController({ path, guards, register }: ResolvedMetrics): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards)
  class JobsMetricsController {
    @Get()
    @Header('Content-Type', register.contentType)
    @Header('Cache-Control', 'no-store')
    metrics(): Promise<string> {
      return register.metrics();
    }
  }
  return JobsMetricsController;
}
