import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { extractText, getDocumentProxy } from 'unpdf';
import { describeOn, oneOfEach, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';

/** A retry takes at least five seconds, and the process its time to start. */
const TIMEOUT_MS = 240_000;

const MAIN = join(import.meta.dirname, '../../sample/dist/main.js');

/** The sample as a process of its own, and what it has printed. */
class Sample {
  output = '';
  readonly exitCode: Promise<number | null>;
  private readonly child: ChildProcessByStdio<null, Readable, Readable>;

  constructor(args: readonly string[], env: Record<string, string | undefined>) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.exitCode = new Promise((resolve) => this.child.once('close', resolve));
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async printed(text: RegExp): Promise<void> {
    await until(() => text.test(this.output), { what: `printing ${String(text)}` });
  }
}

interface ShownOrder {
  readonly jobs: readonly {
    readonly kind: string;
    readonly status: string;
    readonly cancelReason?: string;
  }[];
}

/** The web server of a sample. */
class Shop {
  constructor(private readonly url: string) {}

  async page(): Promise<string> {
    return (await fetch(this.url)).text();
  }

  /** Places an order of Ada's that is not paid. @returns its path */
  async place(): Promise<string> {
    const line = { sku: 'PEN', product: 'Pen', quantity: 2, unitPriceCents: 150 };
    const customer = {
      customer: 'Ada',
      email: 'ada@example.com',
      street: 'A 1',
      city: 'London',
      country: 'GB',
    };
    const response = await fetch(`${this.url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...customer, lines: [line] }),
    });
    return ((await response.json()) as { order: string }).order;
  }

  get(path: string, signal?: AbortSignal): Promise<Response> {
    return fetch(`${this.url}${path}`, { signal });
  }

  /** A button of the page. */
  async press(path: string): Promise<void> {
    const answer = await fetch(`${this.url}${path}`, { method: 'POST' });
    expect(answer).toMatchObject({ status: 200, redirected: true });
  }

  /** `invoice.mail: DONE`, for each job of the order. */
  async jobsOf(order: string): Promise<string[]> {
    const { jobs } = (await (await this.get(order)).json()) as ShownOrder;
    return jobs.map(({ kind, status, cancelReason }) => [kind, status, cancelReason ?? []].flat().join(': '));
  }
}

async function textOf(file: string): Promise<string> {
  const document = await getDocumentProxy(new Uint8Array(await readFile(file)));
  return (await extractText(document, { mergePages: true })).text;
}

describeOn(oneOfEach, 'the sample on $name', (server) => {
  let database: TestDatabase;
  let dataDir: string;
  let started: Sample[];

  beforeAll(() => {
    if (!existsSync(MAIN)) throw new Error('The sample is not built; run "npm run build" first.');
  });

  beforeEach(async () => {
    database = await TestDatabase.create(server);
    dataDir = await mkdtemp(join(tmpdir(), 'sample-test-'));
    started = [];
  });

  afterEach(async () => {
    for (const sample of started) sample.signal('SIGKILL');
    await Promise.all(started.map(({ exitCode }) => exitCode));
    await rm(dataDir, { recursive: true });
    await database.drop();
  });

  function start(...args: string[]): Sample {
    return startWith({}, ...args);
  }

  function startWith(env: Record<string, string>, ...args: string[]): Sample {
    const own = { DATABASE_URL: database.url, SAMPLE_DATA_DIR: dataDir, PORT: '0' };
    const sample = new Sample(args, { ...own, ...env });
    started.push(sample);
    return sample;
  }

  /** A shop without orders, and what its clients do. */
  async function openShop(env: Record<string, string>): Promise<Shop> {
    const sample = startWith(env, '--orders', '0');
    await sample.printed(/Serving on/);
    return new Shop(/http:\/\/localhost:\d+/.exec(sample.output)![0]);
  }

  /** While the work runs, the invoices of new orders cannot be stored, so that their jobs neither end nor fail. */
  async function withoutInvoices(work: () => Promise<void>): Promise<void> {
    const dataSource = await database.connect();
    const runner = dataSource.createQueryRunner();
    try {
      if (server.type === 'postgres') await runner.startTransaction();
      await runner.query(
        server.type === 'postgres' ? 'LOCK TABLE shop_invoices' : 'LOCK TABLES shop_invoices WRITE',
      );
      await work();
    } finally {
      if (server.type === 'postgres') await runner.rollbackTransaction();
      else await runner.query('UNLOCK TABLES');
      await runner.release();
      await dataSource.destroy();
    }
  }

  it(
    'turns orders into invoices and mails, retries some, fails those that must, and ends with 0',
    async () => {
      const sample = start('--once', '--orders', '30');
      expect(await sample.exitCode).toBe(0);
      expect(sample.output).toMatch(/invoice\.mail +DONE +29 +3\d +[1-9]/);
      expect(sample.output).toMatch(/invoice\.mail +FAILED +1 +1 +0/);
      expect(sample.output).toMatch(/invoice\.render +DONE +30 +30 +0/);
      expect(sample.output).toMatch(/report\.nightly +DONE +1 +1 +0/);
      expect(sample.output).toMatch(/Report of .*: 30 invoices, .*\sEUR in total/);
      expect(sample.output).toMatch(/order\.remind +DONE +3 /);
      expect(sample.output).toMatch(/customer\.refresh +DONE +29 +29 +0/);
      expect(sample.output).toContain('3 reminders sent.');
      expect(sample.output).toContain(
        '30 refreshes of customers enqueued, of which 1 joined one that waited, and 29 were run.',
      );
      const [invoices, mails] = await Promise.all(
        ['invoices', 'mails'].map((name) => readdir(join(dataDir, name))),
      );
      expect([invoices!.length, mails!.length]).toEqual([30, 29 + 3]);
      expect(await textOf(join(dataDir, 'invoices', 'S-00001.pdf'))).toMatch(
        /Zofia Lindqvist[^]*S-00001[^]*Total/,
      );
      expect(await textOf(join(dataDir, 'invoices', 'S-00013.pdf'))).toMatch(/no lines[^]*Total *0\.00\sEUR/);
      const mail = await readFile(join(dataDir, 'mails', 'invoice-S-00001_shop.example.eml'), 'utf8');
      expect(mail).toContain('filename=S-00001.pdf');
    },
    TIMEOUT_MS,
  );

  it(
    'shows the dashboard and metrics to those who know the password, and tells everybody that it is well',
    async () => {
      const sample = start('--orders', '3');
      await sample.printed(/The dashboard is on/);
      const url = /http:\/\/localhost:\d+\/admin\/jobs/.exec(sample.output)![0];
      const home = new URL('/', url).href;
      const login = { headers: { authorization: `Basic ${btoa('admin:sample')}` } };
      expect((await fetch(url)).status).toBe(401);
      expect((await fetch(`${home}metrics`)).status).toBe(401);
      const page = await fetch(url, login);
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<base href=')]);
      const kinds = (await (await fetch(`${url}/api/kinds`, login)).json()) as { kinds: { kind: string }[] };
      expect(kinds.kinds.map(({ kind }) => kind)).toContain('invoice.mail');
      expect(await (await fetch(`${home}metrics`, login)).text()).toMatch(
        /messaging_process_duration_seconds_count\{[^}]*kind="invoice\.render"[^}]*\} 3/,
      );
      for (const check of ['live', 'ready', 'jobs'])
        expect(await (await fetch(`${home}health/${check}`)).json()).toMatchObject({ status: 'ok' });
      expect(await (await fetch(home)).text()).toContain('href="/admin/jobs"');
    },
    TIMEOUT_MS,
  );

  it(
    'shows its schedule and reports on a page, whose buttons make a report, pause the schedule and resume it',
    async () => {
      const sample = start('--orders', '3');
      await sample.printed(/Report of .*: 3 invoices/);
      await sample.printed(/Serving on/);
      const url = /http:\/\/localhost:\d+/.exec(sample.output)![0];
      const page = async () => (await fetch(url)).text();
      const press = async (button: string) => {
        const answer = await fetch(`${url}/schedules/report.nightly/${button}`, { method: 'POST' });
        expect(answer).toMatchObject({ status: 200, redirected: true });
        return answer.text();
      };
      expect(await page()).toMatch(/0 3 \* \* \* in Europe\/Dublin[^]*03:00[^]*>Run now<[^]*>Pause</);
      expect(await page()).toContain('<td class="number">3<');

      expect(await press('pause')).toMatch(/<td>paused[^]*>Resume</);
      await press('run'); // also while it is paused
      await until(async () => (await page()).includes('<td class="number">0<'), {
        what: 'a report of nothing',
      });
      expect(await press('resume')).toMatch(/03:00[^]*>Pause</);
      expect((await fetch(`${url}/schedules/other/run`, { method: 'POST' })).status).toBe(404);
    },
    TIMEOUT_MS,
  );

  it(
    'sends one reminder for several changes of an order that is not paid, and none for one that is',
    async () => {
      const shop = await openShop({ REMIND_AFTER_MS: '8000', REMIND_WITHIN_MS: '60000' });
      const paid = await shop.place();
      await shop.press(`${paid}/pay`);
      const changed = await shop.place();
      for (let time = 0; time < 3; time++) await shop.press(`${changed}/gift-wrap`);
      expect(await shop.page()).toMatch(/<h2>Reminders<[^]*<td>3 times<td>in \d s</);
      await until(async () => (await shop.page()).includes('<td>3 times<td>sent '), { what: 'the reminder' });
      expect(await shop.page()).not.toContain('<td>never<td>'); // the other one is neither waiting nor sent
      expect(await shop.jobsOf(changed)).toContain('order.remind: DONE');
      expect(await shop.jobsOf(paid)).toContain('order.remind: CANCELLED: The order is paid.');
      const mails = await readdir(join(dataDir, 'mails'));
      expect(mails.filter((name) => name.startsWith('reminder-'))).toHaveLength(1);
    },
    TIMEOUT_MS,
  );

  it(
    'refreshes the sums of a customer once for several orders, and tells how many joined',
    async () => {
      const shop = await openShop({ REFRESH_AFTER_MS: '5000' });
      const orders = [await shop.place(), await shop.place(), await shop.place()];
      expect(await shop.page()).toContain('3 refreshes were enqueued: 2 joined, 0 run.');
      await until(async () => (await shop.page()).includes('2 joined, 1 run.'), { what: 'the refresh' });
      expect(await shop.page()).toMatch(
        /1 refresh, 2 joined<\/small><td class="number">3<td class="number">9\.00\sEUR/,
      );

      await shop.press(`${orders[0]!}/cancel`);
      await until(async () => (await shop.page()).includes('2 joined, 2 run.'), {
        what: 'the second refresh',
      });
      expect(await shop.page()).toMatch(/<td class="number">2<td class="number">6\.00\sEUR/);
    },
    TIMEOUT_MS,
  );

  it(
    'cancels the open jobs of an order with it, also one that runs',
    async () => {
      const shop = await openShop({ REMIND_AFTER_MS: '600000', REMIND_WITHIN_MS: '600000' });
      let order = '';
      await withoutInvoices(async () => {
        order = await shop.place();
        await until(async () => (await shop.get(`${order}/invoice.pdf`)).ok, {
          what: 'a rendering that runs',
        });
        await shop.press(`${order}/cancel`);
        expect(await shop.jobsOf(order)).toContainEqual(expect.stringContaining('invoice.render: PENDING'));
        expect(await shop.jobsOf(order)).toContainEqual(
          expect.stringMatching(/^order\.remind: CANCELLED: The order W-\w+ was cancelled\.$/),
        );
      });
      await until(async () => String(await shop.jobsOf(order)).includes('invoice.render: CANCELLED'), {
        what: 'the end of the rendering',
      });
      expect(await shop.jobsOf(order)).toHaveLength(2); // no mail was enqueued
      expect(await shop.page()).toMatch(/<small>cancelled</);
      expect(await shop.get(`${order}/invoice`)).toMatchObject({ status: 409 });
      await shop.press(`${order}/cancel`); // changes nothing
      expect((await shop.get('/orders/0b0e7a52-0d1e-4a86-8d0a-7a3e2b1c4d5e/invoice')).status).toBe(404);
    },
    TIMEOUT_MS,
  );

  it(
    'answers a request for an invoice when that is rendered, and with 202 where it takes longer',
    async () => {
      const shop = await openShop({ INVOICE_WAIT_MS: '1000' });
      let order = '';
      await withoutInvoices(async () => {
        order = await shop.place();
        expect(await shop.get(`${order}/invoice`)).toMatchObject({ status: 202 });
      });
      await until(async () => (await shop.get(`${order}/invoice`)).status === 200, { what: 'the invoice' });
      expect(await (await shop.get(`${order}/invoice`)).json()).toMatchObject({
        invoice: `${order}/invoice.pdf`,
        bytes: expect.any(Number),
      });
    },
    TIMEOUT_MS,
  );

  it(
    'stops in good order in the middle, and finishes the rest at the next start',
    async () => {
      const first = start('--orders', '30');
      await first.printed(/[1-9]\d* of 60 jobs ended/);
      first.signal('SIGINT');
      expect(await first.exitCode).toBe(0);
      expect(first.output).toContain('Stopping: running jobs are finished first.');
      const second = start('--once');
      expect(await second.exitCode).toBe(0);
      expect(second.output).toContain('The orders are here already.');
      expect(second.output).toMatch(/invoice\.render +DONE +30 +30 +0/);
    },
    TIMEOUT_MS,
  );
});

it(
  'the sample on its own database refuses to start beside itself, and leaves that database alone',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sample-test-'));
    await chmod(dataDir, 0o755); // run as root, the server is another user's
    const env = { DATABASE_URL: undefined, SAMPLE_DATA_DIR: dataDir, PORT: '0' };
    const first = new Sample(['--orders', '3'], env);
    try {
      await first.printed(/Loaded 3 orders/);
      const second = new Sample(['--orders', '3'], env);
      expect(await second.exitCode).toBe(1);
      expect(second.output).toContain('The sample is running already');
      await first.printed(/Serving on/);
      first.signal('SIGINT');
      expect(await first.exitCode).toBe(0);
      const third = new Sample(['--once'], env);
      expect(await third.exitCode).toBe(0);
      expect(third.output).toContain('The orders are here already.');
    } finally {
      first.signal('SIGKILL');
      await first.exitCode;
      await rm(dataDir, { recursive: true });
    }
  },
  TIMEOUT_MS,
);
