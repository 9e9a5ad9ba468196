import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Changed, Selection } from '../../../lib/dashboard/api/actions.js';
import type { JobRow } from '../../../lib/dashboard/api/job-screens.js';
import type { Overview, Session, StateName } from '../../../lib/dashboard/api/screens.js';
import { DAY, idOf, NOW } from './clock.js';
import { jobPage, makeJobs, REVEALED } from './jobs.js';
import { largeJobPage, largeJobs } from './large.js';
import { MAIL_SCHEMA, makeScreens } from './screens.js';

const ASSETS = join(import.meta.dirname, '../../../dist/dashboard/assets');
const CSP = [
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:",
  "base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
].join('; ');

/** What the database holds: nothing, 40 jobs, a million, or it does not answer. */
export type World = 'empty' | 'jobs' | 'large' | 'outage';

const SIZES: Readonly<Record<World, number>> = { empty: 0, jobs: 40, large: 0, outage: 0 };
/** How many of a million jobs lists can go through here. */
const LISTED = 400;

/** An action that the page asked for. */
export interface Asked {
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly contentType: string | undefined;
}

/**
 * Serves the pages as the controller of the dashboard does, under a prefix, with data that are always the same. It runs in the
 * process of the test, which may look at what was asked and change the world.
 */
export class MockDashboard {
  readonly asked: Asked[] = [];
  /** The paths and queries of what was read. */
  readonly reads: string[] = [];
  session: Session = { name: 'Jobs', release: '0.1.0', readOnly: false, may: { act: true, reveal: true } };
  /** Whether the stream of the overview sends anything. */
  isStreamSilent = false;
  streamEveryMs = 1_000;
  /** Whether each answer tells of other kinds, problems and jobs than the one before. */
  isChanging = false;
  /** How many messages have been sent by streams. */
  streamed = 0;
  private world: World = 'jobs';
  private jobs: JobRow[] = makeJobs(40);
  private readonly streams = new Set<ServerResponse>();
  private readonly server: Server = createServer((request, response) => {
    this.answer(request, response).catch((error: unknown) => {
      sendJson(response, 500, { error: { code: 'mock', message: String(error) } });
    });
  });

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async stop(): Promise<void> {
    for (const stream of this.streams) stream.end();
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  /** The address of the page. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/backend/admin/jobs`;
  }

  get openStreams(): number {
    return this.streams.size;
  }

  become(world: World): void {
    this.world = world;
    this.jobs = world === 'large' ? largeJobs(LISTED) : makeJobs(SIZES[world]);
    this.asked.length = 0;
    this.reads.length = 0;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('content-security-policy', CSP);
    response.setHeader('x-content-type-options', 'nosniff');
    const { pathname, searchParams } = new URL(request.url!, 'http://mock');
    const path = pathname.replace(/^\/backend\/admin\/jobs\/?/, '');
    if (path === '') await this.page(response);
    else if (path.startsWith('assets/')) await sendAsset(response, path.slice('assets/'.length));
    else if (this.world === 'outage') sendJson(response, 503, OUTAGE);
    else if (path === 'api/live') this.stream(response);
    else if (path.startsWith('api/act/')) await this.act(request, response, path.slice('api/act/'.length));
    else this.read(response, path.slice('api/'.length), searchParams);
  }

  /** An outage has no screens. */
  private get shown(): Exclude<World, 'outage'> {
    return this.world === 'outage' ? 'empty' : this.world;
  }

  private async page(response: ServerResponse): Promise<void> {
    const manifest = JSON.parse(await readFile(join(ASSETS, 'manifest.json'), 'utf8')) as Record<
      string,
      string
    >;
    const session = JSON.stringify(this.session).replaceAll('&', '&amp;').replaceAll("'", '&#39;');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<base href="./jobs/">
<title>Jobs</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="session" content='${session}'>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/${manifest['main.css']!}">
<script type="module" src="assets/${manifest['main.js']!}"></script>
</head>
<body><div id="app"></div></body>
</html>`);
  }

  private stream(response: ServerResponse): void {
    response.setHeader('content-type', 'text/event-stream');
    response.flushHeaders();
    this.streams.add(response);
    let count = 0;
    const send = () => {
      if (this.isStreamSilent) return;
      const overview = { ...this.overview(count), now: NOW + count++ };
      this.streamed++;
      response.write(`data: ${JSON.stringify(overview)}\n\n`);
    };
    send();
    const timer = setInterval(send, this.streamEveryMs);
    response.on('close', () => {
      clearInterval(timer);
      this.streams.delete(response);
    });
  }

  /** @param number of the message */
  private overview(number: number): Overview {
    const { overview } = makeScreens(this.shown);
    if (!this.isChanging) return overview;
    const { kinds, problems, minutes } = overview;
    return {
      ...overview,
      kinds: kinds
        .slice(number % kinds.length)
        .map((kind) => ({ ...kind, kind: `${kind.kind}.${number % 7}` })),
      problems: problems.slice(number % problems.length),
      minutes: [...minutes.slice(number % 60), ...minutes.slice(0, number % 60)],
      workers: { ...overview.workers, running: number },
    };
  }

  private read(response: ServerResponse, name: string, query: URLSearchParams): void {
    this.reads.push(`${name}?${query.toString()}`);
    const screens = makeScreens(this.shown);
    if (name === 'jobs') sendJson(response, 200, this.findJobs(query));
    else if (name === 'counts') sendJson(response, 200, this.countJobs(query));
    else if (name === 'job') this.readJob(response, query.get('id')!);
    else if (name === 'preview') sendJson(response, 200, { ticks: [1, 2, 3].map((day) => NOW + day * DAY) });
    else if (name === 'form')
      sendJson(response, 200, {
        ...screens.form,
        schema: query.get('kind') === 'mail.send' ? MAIL_SCHEMA : null,
      });
    else if (name in screens) sendJson(response, 200, screens[name as keyof typeof screens]);
    else sendJson(response, 404, { error: { code: 'not-found', message: `There is no ${name}.` } });
  }

  private findJobs(query: URLSearchParams) {
    if (this.isChanging) this.jobs = makeJobs(this.jobs.length + 3);
    const found = this.matching(query);
    const start = query.has('after') ? found.findIndex(({ id }) => id === query.get('after')) + 1 : 0;
    const limit = Number(query.get('limit'));
    const jobs = found.slice(start, start + limit);
    const next = found.length > start + limit ? jobs.at(-1)!.id : null;
    return { now: NOW, jobs, next, searched: found.length, complete: true };
  }

  private countJobs(query: URLSearchParams) {
    const found = this.matching(query);
    const isLarge = this.world === 'large';
    const count = (state: StateName) => found.filter((job) => job.state === state).length;
    const capped = (value: number) =>
      isLarge && value > 40 ? { value: 10_000, capped: true } : { value, capped: false };
    return { states: Object.fromEntries(ALL_STATES.map((state) => [state, capped(count(state))])) };
  }

  private matching(query: URLSearchParams): JobRow[] {
    const has = (name: string, value: string | null) =>
      !query.has(name) || query.getAll(name).includes(value ?? '');
    return this.jobs.filter(
      (job) =>
        has('state', job.state) &&
        has('kind', job.kind) &&
        has('id', job.id) &&
        has('schedule', job.schedule) &&
        (job.error ?? '').includes(query.get('error') ?? ''),
    );
  }

  private readJob(response: ServerResponse, id: string): void {
    const index = this.jobs.findIndex((job) => job.id === id);
    if (index < 0) {
      const message = `There is no job ${id}. It may have been deleted, by hand or when its retention ended.`;
      sendJson(response, 404, { error: { code: 'not-found', message } });
      return;
    }
    const older = this.jobs[index + 1]?.id ?? null;
    const page = jobPage(this.jobs[index]!, older, this.jobs[index - 1]?.id ?? null);
    sendJson(response, 200, this.world === 'large' ? largeJobPage(page) : page);
  }

  private async act(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    this.asked.push({ name, body, contentType: request.headers['content-type'] });
    const refusal = name === 'update' && body.priority === 13;
    if (refusal)
      sendJson(response, 409, {
        error: { code: 'not-waiting', message: 'The job runs by now. Cancel it first.' },
      });
    else sendJson(response, 200, this.outcome(name, body));
  }

  private outcome(name: string, body: Record<string, unknown>): unknown {
    if (name === 'reveal')
      return { payload: REVEALED, result: { ...REVEALED, type: 'none' }, carried: REVEALED };
    if (['clone', 'enqueue', 'update', 'run-schedule'].includes(name))
      return { id: (body.id as string | undefined) ?? idOf(3) };
    if (name === 'backfill') return { created: 2, existing: 1 };
    if (name === 'retry-group') return changed(body.dryRun === true, 128);
    if (!(name in ACTED)) return {};
    return this.change(name, body);
  }

  private change(name: string, { ids, filter, dryRun = false }: Selection): Changed {
    const chosen =
      ids === undefined
        ? this.matching(new URLSearchParams(filter))
        : this.jobs.filter(({ id }) => ids.includes(id));
    const { from, to } = ACTED[name]!;
    const hit = new Set(chosen.filter(({ state }) => from.includes(state)).map(({ id }) => id));
    if (!dryRun) {
      if (to === null) this.jobs = this.jobs.filter(({ id }) => !hit.has(id));
      else this.jobs = this.jobs.map((job) => (hit.has(job.id) ? { ...job, state: to } : job));
    }
    return changed(dryRun, hit.size);
  }
}

const ALL_STATES: readonly StateName[] = [
  ...([
    'scheduled',
    'blocked',
    'ready',
    'retrying',
    'running',
    'stopping',
    'done',
    'failed',
    'panic',
  ] as const),
  'cancelled',
];

const WAITING: readonly StateName[] = ['scheduled', 'ready', 'retrying'];
const BAD: readonly StateName[] = ['failed', 'panic', 'cancelled'];

/** Which jobs an action is about, and what they become; null where they are gone. */
const ACTED: Readonly<Record<string, { from: readonly StateName[]; to: StateName | null }>> = {
  retry: { from: BAD, to: 'ready' },
  'run-now': { from: ['scheduled', 'retrying'], to: 'ready' },
  cancel: { from: [...WAITING, 'running'], to: 'cancelled' },
  delete: { from: [...WAITING, ...BAD, 'done'], to: null },
};

const OUTAGE = {
  error: {
    code: 'unavailable',
    message:
      'The database does not answer: connect ECONNREFUSED 10.0.0.5:5432. Jobs are safe; workers go on when it is back.',
  },
};

function changed(dryRun: boolean, matched: number): Changed {
  return { matched, changed: dryRun ? 0 : matched, problems: [] };
}

async function sendAsset(response: ServerResponse, file: string): Promise<void> {
  response.setHeader('content-type', file.endsWith('.css') ? 'text/css' : 'text/javascript');
  response.end(await readFile(join(ASSETS, file)));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  response.end(JSON.stringify(body));
}
