import {
  Controller,
  Get,
  HttpCode,
  Inject,
  Post,
  Req,
  Res,
  UseGuards,
  VERSION_NEUTRAL,
  type Type,
} from '@nestjs/common';
import { Dashboard } from './dashboard.js';
import type { ResolvedIdentity } from './dashboard.options.js';
import { requireOwnReader } from './web/cross-site.js';
import { Admission } from './web/admission.js';
import { AnswerHeaders, json, send, type DashboardRequest } from './web/http.js';
import { openEventStream } from './web/live-stream.js';
import { refusalOf, type DashboardRefusal } from './web/refusal.js';
import { ROUTES, type Route } from './web/routes.js';

/**
 * A controller like any other: what holds for all routes of the application holds for it, as a global prefix, versions in URLs
 * and global guards.
 */
export function dashboardController({ path, guards }: Pick<ResolvedIdentity, 'path' | 'guards'>): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(AnswerHeaders, ...guards, Admission)
  class JobsDashboardController {
    constructor(@Inject(Dashboard) readonly dashboard: Dashboard) {}

    /** GET api/live: an overview every two seconds, for all pages of this process the same one. */
    @Get('api/live')
    async live(@Req() request: DashboardRequest, @Res() response: object): Promise<void> {
      const { dashboard } = this;
      try {
        requireOwnReader(request);
        await dashboard.viewerOf(request).require('read');
        const { feed } = dashboard.parts;
        feed.requireRoom();
        feed.join(openEventStream(response));
      } catch (error) {
        refuse(dashboard, response, refusalOf(error));
      }
    }
  }
  for (const route of ROUTES) addRoute(JobsDashboardController, route);
  return JobsDashboardController;
}

/** As if the class had a method with the decorators of the route. */
function addRoute(type: Type<{ readonly dashboard: Dashboard }>, { method, path, answer }: Route): void {
  const name = `${method} ${path}`;
  const prototype = type.prototype as object;
  const value = async function (
    this: { readonly dashboard: Dashboard },
    request: DashboardRequest,
    response: object,
  ): Promise<void> {
    try {
      send(this.dashboard.host, response, await answer(this.dashboard, request));
    } catch (error) {
      refuse(this.dashboard, response, refusalOf(error));
    }
  };
  Object.defineProperty(prototype, name, { value });
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!;
  (method === 'GET' ? Get(path) : Post(path))(prototype, name, descriptor);
  HttpCode(200)(prototype, name, descriptor);
  Req()(prototype, name, 0);
  Res()(prototype, name, 1);
}

function refuse(dashboard: Dashboard, response: object, refusal: DashboardRefusal): void {
  if (refusal.code === 'internal') dashboard.logFailure(refusal.cause);
  send(dashboard.host, response, json(refusal.getResponse(), refusal.getStatus()));
}
