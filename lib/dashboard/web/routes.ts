import { RELEASE } from '../../job/release.js';
import { ActionBody } from '../actions/action-body.js';
import type { ActionName } from '../actions/action.js';
import { ACTION_NAMES, ACTIONS } from '../actions/actions.js';
import type { Session } from '../api/screens.js';
import type { Dashboard } from '../dashboard.js';
import type { JobsSources } from '../jobs-sources.js';
import { auditScreen } from '../screens/audit-screen.js';
import { errorsScreen } from '../screens/errors-screen.js';
import { formScreen } from '../screens/form-screen.js';
import { jobScreen } from '../screens/job-screen.js';
import { countsScreen, jobsScreen } from '../screens/jobs-screen.js';
import { required } from '../screens/query.js';
import { preview, schedulesScreen } from '../screens/schedules-screen.js';
import { workersScreen } from '../screens/workers-screen.js';
import { requireOwnReader, requireSameSite } from './cross-site.js';
import { baseOf, json, pathOf, queryOf, type Answer, type DashboardRequest } from './http.js';
import { page } from './page.js';
import { DashboardRefusal } from './refusal.js';
import { whoOf } from './who.js';

/** One route of the dashboard. None of them has a wildcard, which Express and Fastify write in different ways. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly answer: (dashboard: Dashboard, request: DashboardRequest) => Promise<Answer> | Answer;
}

/** What a screen is made from. */
interface ScreenRequest {
  readonly dashboard: Dashboard;
  readonly sources: JobsSources;
  readonly query: URLSearchParams;
  /** Whether the viewer may see hidden values. */
  readonly mayReveal: () => Promise<boolean>;
}

type Screen = (asked: ScreenRequest) => unknown;

const SCREENS: Readonly<Record<string, Screen>> = {
  overview: ({ dashboard }) => dashboard.parts.snapshots.overview(),
  kinds: ({ dashboard }) => dashboard.parts.snapshots.kinds(),
  jobs: async ({ sources, query, mayReveal }) => jobsScreen(sources, query, await mayReveal()),
  counts: async ({ sources, query, mayReveal }) => countsScreen(sources, query, await mayReveal()),
  job: ({ sources, query }) => jobScreen(sources, required(query, 'id')),
  schedules: ({ sources, query }) => schedulesScreen(sources, query),
  workers: ({ sources }) => workersScreen(sources),
  errors: ({ sources, query }) => errorsScreen(sources, query),
  audit: ({ sources, query }) => auditScreen(sources, query),
  form: ({ sources, query }) => formScreen(sources, query),
  preview: ({ query }) => preview(query),
};

/** All routes but that of the live stream, which has no answer that ends. */
export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '', answer: pageAnswer },
  { method: 'GET', path: 'assets/:file', answer: assetAnswer },
  ...Object.entries(SCREENS).map(([name, screen]) => screenRoute(name, screen)),
  ...ACTION_NAMES.map(actionRoute),
];

async function pageAnswer(dashboard: Dashboard, request: DashboardRequest): Promise<Answer> {
  const viewer = dashboard.viewerOf(request);
  await viewer.require('read');
  const { readOnly } = dashboard.settings;
  const session: Session = {
    ...{ name: dashboard.title, release: RELEASE, readOnly },
    may: { act: !readOnly && (await viewer.may('act')), reveal: await viewer.may('reveal') },
  };
  const text = page(baseOf(request), session, dashboard.parts.assets.main);
  return { status: 200, type: 'text/html', text };
}

async function assetAnswer(dashboard: Dashboard, request: DashboardRequest): Promise<Answer> {
  await dashboard.viewerOf(request).require('read');
  const file = dashboard.parts.assets.get(pathOf(request).split('/').at(-1)!);
  if (file !== undefined) return file;
  throw new DashboardRefusal(
    'not-found',
    'There is no such file. Another release may have been deployed: load the page again.',
  );
}

function screenRoute(name: string, screen: Screen): Route {
  return {
    method: 'GET',
    path: `api/${name}`,
    answer: async (dashboard, request) => {
      const viewer = dashboard.viewerOf(request);
      requireOwnReader(request);
      await viewer.require('read');
      const { sources } = dashboard.parts;
      const mayReveal = () => viewer.may('reveal');
      return json(await screen({ dashboard, sources, query: queryOf(request), mayReveal }));
    },
  };
}

function actionRoute(name: ActionName): Route {
  return {
    method: 'POST',
    path: `api/act/${name}`,
    answer: async (dashboard, request) => {
      const { readOnly, trustForwardedHost, who = whoOf } = dashboard.settings;
      const { role } = ACTIONS[name];
      const viewer = dashboard.viewerOf(request);
      requireSameSite(request, trustForwardedHost);
      await viewer.require(role);
      if (readOnly && role === 'act')
        throw new DashboardRefusal(
          'read-only',
          'This dashboard is read-only (readOnly: true): nothing can be changed here.',
        );
      const actor = { who: who(request), mayReveal: await viewer.may('reveal') };
      const body = new ActionBody(request.body);
      return json(await dashboard.parts.actions.carryOut(name, body, actor));
    },
  };
}
