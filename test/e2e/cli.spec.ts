import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resolveSchedule } from '../../lib/schedules/resolve-schedule.js';
import { encodeTerms } from '../../lib/schedules/schedule-terms.js';
import { anyServer, describeOn, oneOfEach, sqlite } from '../support/databases.js';
import { CliWorld, urlOf, type Cli, type CliAnswer } from '../support/cli.js';
import { LONG } from '../support/store.js';
import { until } from '../support/until.js';

const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/;

/** What commands do before there is anything, as processes of their own where that is what is tested. */
describeOn([...oneOfEach, ...sqlite], 'The command line on a new database of $name', (server) => {
  let world: CliWorld;
  const run = (...given: string[]) => world.run(...given);
  const spawned = (...given: string[]) => world.cli.spawn(...given);
  beforeAll(async () => {
    world = await CliWorld.open(server, false);
  });
  afterAll(() => world.close());

  it('refuses to work without a table, makes it by migrate, and then says what to do next', async () => {
    const answer = await spawned('list');
    expect(answer).toMatchObject({ code: 1, out: '' });
    expect(answer.err).toContain('There is no table');
    expect(answer.err).toContain('nestjs-typeorm-jobs migrate');
    const made = await spawned('migrate', '--json');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.json).toEqual({ table: expect.stringContaining('nest_jobs'), version: 2, steps: [1, 2] });
    expect((await run('migrate')).out).toMatch(/nest_jobs is at version 2 already\.\n$/);
    expect((await run('list')).out).toContain('There are no jobs. Enqueue one');
    expect((await run('list', '--kind', 'x')).out).toContain('No job fits.');
    expect((await run('workers')).out).toContain('No worker is live. Start');
    expect((await run('schedules')).out).toContain('There are no schedules. Declare one');
    expect(await spawned('stats')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Nothing is known of any kind'),
    });
  });
});

/** Each command of the built package. */
describeOn([...oneOfEach, ...sqlite], 'The command line on $name', (server) => {
  let world: CliWorld;
  const run = (...given: string[]) => world.run(...given);
  /** The cells of the rows of a table, without the titles. */
  const rows = ({ out }: CliAnswer) =>
    out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {2,}/));
  const enqueue = (kind: string, id: string, more = {}) =>
    world.client.enqueue(kind, { n: 1 }, { id, ...more });
  const fail = (kind: string, message: string) =>
    world.queue.dequeue([kind], () => {
      throw new Error(message);
    });
  const stateOf = async (id: string) => (await world.client.get(id))?.state;

  beforeAll(async () => {
    world = await CliWorld.open(server);
  });
  afterAll(() => world.close());

  it('list shows jobs aligned, with instants in ISO and their zone, and finds them by conditions', async () => {
    await enqueue('list.a', 'l1', { tags: ['north'] });
    await enqueue('list.b', 'l2-with-a-long-id', { runAt: new Date('2031-02-03T04:05:06Z') });
    await enqueue('list.b', 'l3');
    await fail('list.b', 'connect ECONNREFUSED');
    const all = await run('list', '--kind', 'list.a', '-k', 'list.b', '--oldest');
    expect(all.code).toBe(0);
    expect(all.out.split('\n')[0]).toMatch(/^ID +KIND +STATE +RUN AT +ATTEMPTS +LAST ERROR$/);
    const starts = all.out
      .trimEnd()
      .split('\n')
      .map((line) => line.search(/(?<= {2})(KIND|list\.)/));
    expect(new Set(starts).size).toBe(1);
    expect(rows(all)).toEqual([
      ['l1', 'list.a', 'ready', expect.stringMatching(INSTANT), '0', '-'],
      ['l2-with-a-long-id', 'list.b', 'scheduled', '2031-02-03T04:05:06Z', '0', '-'],
      ['l3', 'list.b', 'failed', expect.stringMatching(INSTANT), '1', 'Error: connect ECONNREFUSED'],
    ]);
    const idsOf = (answer: CliAnswer) => rows(answer).map(([id]) => id);
    expect(idsOf(await run('list', '--tag', 'north'))).toEqual(['l1']);
    expect(idsOf(await run('list', '--state', 'failed', '--error', 'ECONNREFUSED'))).toEqual(['l3']);
    expect(rows(await run('list', '-k', 'list.b', '--created-after', '2020-01-01T00:00:00Z'))).toHaveLength(
      2,
    );
    expect((await run('list', '--created-before', '2020-01-01T00:00:00+01:00')).out).toContain(
      'No job fits.',
    );
  });

  it('list gives JSON, page by page', async () => {
    await enqueue('page', 'p1');
    await enqueue('page', 'p2');
    const page = (...more: string[]) => run('list', '-k', 'page', '-n', '1', '--oldest', ...more);
    const first = await page('--json');
    expect(first.json).toMatchObject({ jobs: [{ id: 'p1', payload: { n: 1 } }], next: 'p1', complete: true });
    const second = await page('--after', 'p1', '--json');
    expect(second.json).toMatchObject({ jobs: [{ id: 'p2', state: 'ready' }], next: null });
    expect((await page()).out).toContain('There may be more: --after "p1"');
  });

  it('escapes control characters of ids, kinds and errors in tables, and leaves them in JSON', async () => {
    const evil = 'evil\u001b[2J\nid\u202e';
    await enqueue('evil\u0007', evil);
    await fail('evil\u0007', 'red \u001b[31m');
    const list = await run('list', '-k', 'evil\u0007');
    expect(list.out).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(list.out.trimEnd().split('\n')).toHaveLength(2);
    expect(list.out).toContain('evil\\u001b[2J\\nid\\u202e');
    for (const command of ['show', 'explain'])
      expect((await run(command, evil)).out).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect((await run('show', evil, '--json')).json).toMatchObject({ job: { id: evil } });
  });

  it('show tells all of a job', async () => {
    await enqueue('show', 's1', { tags: ['a', 'b'], priority: 7 });
    await world.queue.dequeue(['show'], (_job, context) => {
      context.log('half way');
      throw new Error('no paper');
    });
    const { code, out } = await run('show', 's1');
    expect(code).toBe(0);
    expect(out).toMatch(/^id +s1\nkind +show\nstate +failed\n/);
    for (const text of [/^tags +a, b$/m, /^priority +7$/m, /^payload\n {2}\{\n {4}"n": 1\n {2}\}$/m])
      expect(out).toMatch(text);
    expect(out).toMatch(/^last error\n {2}Error: no paper\n {2} +at /m);
    expect(out).toMatch(/^attempts\n {2}ATTEMPT +OUTCOME/m);
    expect(out).toMatch(/1 +failed +\d{4}-/);
    expect(out).toMatch(/^log\n {2}\S+Z {2}info {3}#1 {2}half way$/m);
    const { json } = await run('show', 's1', '--json');
    expect(json).toMatchObject({
      job: { id: 's1' },
      attempts: [{ outcome: 'failed' }],
      logs: [{ text: 'half way' }],
    });
  });

  it('show and explain of a job that is not there end with 1', async () => {
    const shown = await run('show', 'nowhere');
    expect(shown).toMatchObject({ code: 1, out: '', err: 'There is no job nowhere.\n' });
    expect(await run('explain', 'nowhere')).toMatchObject({ code: 1, err: '' });
    expect((await run('explain', 'nowhere', '--json')).json).toMatchObject({ state: null });
  });

  it('explain tells why a job does not start', async () => {
    await enqueue('explain', 'e1');
    const { code, out } = await run('explain', 'e1');
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining('Job e1 is ready.\n- No worker is live.'),
    });
    const { json } = await run('explain', 'e1', '--json');
    expect(json).toMatchObject({ id: 'e1', state: 'ready', reasons: [{ code: 'no-worker' }] });
  });

  it.each(['retry', 'cancel', 'delete'])(
    '%s refuses to guess: without jobs, and without a yes',
    async (command) => {
      const id = `refused-${command}`;
      await enqueue('refused', id);
      if (command === 'retry') await fail('refused', 'once');
      const before = await stateOf(id);
      expect(await run(command)).toMatchObject({ code: 2, out: '' });
      expect(await run(command, '--all', '-k', 'refused', '-y')).toMatchObject({ code: 2, out: '' });
      const { code, out, err } = await run(command, id);
      expect({ code, out }).toEqual({ code: 3, out: '' });
      expect(err).toMatch(/1 job\? Nothing was changed: there is no terminal to ask on\. Give --yes\.\n$/);
      const counted = await run(command, id, '--dry-run', '--json');
      expect(counted).toMatchObject({ code: 0 });
      expect(counted.json).toEqual({ matched: 1, changed: 0, conflicts: 0, dryRun: true });
      expect(await stateOf(id)).toBe(before);
      await world.client.delete(id);
    },
  );

  it('cancel, retry and delete change the jobs that are meant, and no others', async () => {
    for (const id of ['c1', 'c2', 'c3']) await enqueue('change', id);
    const cancelled = await run('cancel', 'c1', 'c2', '--yes', '--reason', 'not needed');
    expect(cancelled).toMatchObject({ code: 0, out: '2 jobs cancelled, or asked to stop.\n' });
    expect(await world.client.get('c1')).toMatchObject({ state: 'cancelled', cancelReason: 'not needed' });
    expect(await stateOf('c3')).toBe('ready');
    expect(await run('retry', '-k', 'change', '-s', 'cancelled', '-y', '--json')).toMatchObject({ code: 0 });
    expect(await stateOf('c2')).toBe('ready');
    await world.client.cancel('c2');
    const deleted = await run('delete', '-k', 'change', '-s', 'cancelled', '-y', '--json');
    expect(deleted.json).toEqual({ matched: 1, changed: 1, conflicts: 0, dryRun: false });
    expect(await stateOf('c2')).toBeUndefined();
    const nothing = await run('cancel', 'c2', '-y');
    expect(nothing).toMatchObject({ code: 1, out: expect.stringContaining('No job fits.') });
  });

  it('delete leaves a job that runs', async () => {
    await enqueue('runs', 'r1');
    await world.queue.claim(['runs'], 1, LONG);
    expect(await run('delete', 'r1', '-y')).toMatchObject({
      code: 1,
      out: 'No job fits. Jobs that run are not deleted; cancel them first.\n',
    });
    expect(await stateOf('r1')).toBe('running');
  });

  it('tells those who listen to all processes what it does', async () => {
    const { eventStore } = world.queue;
    await enqueue('told', 'told1');
    const { seq } = await eventStore.listen('tester', { kinds: ['told'], types: null });
    expect(await run('pause', 'told')).toMatchObject({ code: 0 });
    expect(await run('cancel', 'told1', '--yes')).toMatchObject({ code: 0 });
    expect(await run('resume', 'told')).toMatchObject({ code: 0 });
    const { events } = await eventStore.read(seq, 10);
    expect(events.map(({ event }) => JSON.parse(event) as unknown)).toMatchObject([
      { type: 'kind.paused', kind: 'told' },
      { type: 'cancelled', kind: 'told', jobId: 'told1' },
      { type: 'kind.resumed', kind: 'told' },
    ]);
    await eventStore.unlisten('tester');
  });

  it('pause and resume a kind', async () => {
    const paused = await run('pause', 'mail', '--reason', 'no server', '--for', '1h');
    expect(paused).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Paused the kind mail until \S+Z\.\n$/),
    });
    const { pauses } = await world.queue.kinds.controls();
    expect(pauses).toMatchObject([{ kind: 'mail', reason: 'no server' }]);
    expect(pauses[0]!.leftMs).toBeGreaterThan(3_500_000);
    expect((await run('stats', 'mail')).out).toMatch(/mail .*since \S+Z until \S+Z: no server/);
    expect((await run('resume', 'mail')).out).toBe('Resumed the kind mail.\n');
    expect((await run('resume', 'mail', '--json')).json).toEqual({ kind: 'mail', wasPaused: false });
    expect(await run('pause', '*')).toMatchObject({ code: 3 });
    expect(await run('pause', 'mail', '--stop-running')).toMatchObject({ code: 3 });
    expect((await world.queue.kinds.controls()).pauses).toEqual([]);
    expect(await run('pause', '*', '--yes', '--wait')).toMatchObject({ code: 0, out: 'Paused all kinds.\n' });
    expect(await run('resume', '*')).toMatchObject({ code: 0 });
  });

  it('workers lists those that are live', async () => {
    const about = { host: 'web-1', pid: 7, kinds: ['mail'], concurrency: 5, running: 2, release: '9.9.9' };
    await world.queue.kinds.beat({
      workerId: 'w1',
      controlsSeen: 0,
      about: JSON.stringify(about),
      counts: [],
    });
    const listed = await run('workers');
    const [name, host, pid, startedAt] = rows(listed)[0]!;
    expect([name, host, pid, startedAt]).toEqual(['w1', 'web-1', '7', expect.stringMatching(INSTANT)]);
    expect(rows(listed)).toHaveLength(1);
    expect(listed.out).toContain('2/5');
    expect((await run('workers', '--json')).json).toMatchObject({
      workers: [{ name: 'w1', kinds: ['mail'] }],
    });
    await world.queue.kinds.forget('w1');
  });

  it('stats shows kinds, also those that only wait', async () => {
    await enqueue('only.waits', 'w');
    expect(rows(await run('stats')).find(([kind]) => kind === 'only.waits')?.[1]).toBe('1');
    const { json } = await run('stats', 'only.waits', '--json');
    expect(json).toMatchObject({ kinds: [{ kind: 'only.waits', ready: { value: 1, capped: false } }] });
  });

  it('stats --watch goes on until it is interrupted', async () => {
    const child = world.cli.start('stats', 'only.waits', '--watch', '--interval', '500ms', '--json');
    let out = '';
    child.stdout!.on('data', (text: Buffer) => (out += text.toString()));
    await until(() => out.split('\n').length > 2, { what: 'it has looked twice' });
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines[1]).toMatchObject({ at: expect.any(String), kinds: [{ kind: 'only.waits' }] });
  });

  it('schedules lists them', async () => {
    const nextAt = new Date(Date.now() - 3_600_000);
    await world.queue.schedules.save({
      ...{ name: 'nightly', kind: 'mail', payload: null, anchorAt: nextAt, nextAt },
      rule: encodeTerms(resolveSchedule({ name: 'nightly', kind: 'mail', everyMs: 60_000 })),
      ...{ declaredAt: null, declaredBy: null, revision: null },
    });
    const listed = await run('schedules');
    expect(listed.code).toBe(0);
    const [name, kind, times] = rows(listed)[0]!;
    expect([name, kind, times, rows(listed)[0]!.at(-1)]).toEqual(['nightly', 'mail', 'every 1m', 'overdue']);
    expect((await run('schedules', '--json')).json).toMatchObject({ schedules: [{ name: 'nightly' }] });
    expect((await run('schedules', '--kind', 'other')).out).toContain('There are no schedules.');
  });

  describe('schedules with an action', () => {
    const EVERY_MINUTE = { everyMs: 60_000, kind: 'ticks', startAt: new Date('2026-01-01T00:00:00Z') };
    const span = ['--from', '2026-01-01T00:00:00Z', '--to', '2026-01-01T00:04:30Z'];
    const jobsOf = async (name: string) => (await world.client.find({ schedule: name })).jobs;
    const make = async (name: string) => {
      const { schedules } = world;
      await schedules.upsert(name, EVERY_MINUTE);
      return schedules;
    };

    it('pause and resume it, and say when it ticks next', async () => {
      const schedules = await make('s.pause');
      const paused = await run('schedules', 'pause', 's.pause', '--reason', 'a holiday');
      expect(paused).toEqual(
        expect.objectContaining({ code: 0, out: 'Paused the schedule s.pause.\n', err: '' }),
      );
      expect(await schedules.get('s.pause')).toMatchObject({ paused: true, pausedReason: 'a holiday' });
      const resumed = await run('schedules', 'resume', 's.pause', '--missed', 'last');
      expect(resumed.code).toBe(0);
      expect(resumed.out).toMatch(/^Resumed the schedule s\.pause\. Its next tick is at \S+Z\.\n$/);
      expect(await schedules.get('s.pause')).toMatchObject({ paused: false });
      expect((await run('schedules', 'pause', 's.pause', '--json')).json).toMatchObject({ paused: true });
      expect((await run('schedules', 'resume', 's.pause', '--json')).json).toMatchObject({ paused: false });
      expect(await run('schedules', 'resume', 's.pause', '--missed', 'some')).toMatchObject({
        code: 2,
        err: expect.stringContaining("must be 'skip' or 'last' or 'all'"),
      });
    });

    it('run makes a job at once', async () => {
      await make('s.run');
      const made = await run('schedules', 'run', 's.run');
      const [job] = await jobsOf('s.run');
      expect(made).toMatchObject({ code: 0, out: `Made the job ${job!.id} of the kind ticks.\n` });
      expect((await run('schedules', 'run', 's.run', '--json')).json).toMatchObject({ schedule: 's.run' });
      expect(await jobsOf('s.run')).toHaveLength(2);
    });

    it('preview shows the next ticks, and makes none', async () => {
      const schedules = await make('s.preview');
      const { nextAt } = (await schedules.get('s.preview'))!;
      const shown = await run('schedules', 'preview', 's.preview', '-n', '3');
      const expected = [0, 1, 2].map((n) =>
        new Date(nextAt!.getTime() + n * 60_000).toISOString().replace('.000Z', 'Z'),
      );
      expect(shown).toMatchObject({ code: 0, out: `${expected.join('\n')}\n`, err: '' });
      const { json } = await run('schedules', 'preview', 's.preview', '--json');
      expect(json).toMatchObject({ name: 's.preview', paused: false, ticks: { length: 10 } });
      await schedules.pause('s.preview');
      expect(await run('schedules', 'preview', 's.preview')).toMatchObject({
        code: 0,
        err: expect.stringContaining('It is paused'),
      });
      expect(await jobsOf('s.preview')).toEqual([]);
    });

    it('backfill counts the ticks without a job, asks, and makes their jobs once', async () => {
      await make('s.fill');
      const fill = (...more: string[]) => run('schedules', 'backfill', 's.fill', ...span, ...more);
      expect(await fill()).toMatchObject({
        code: 3,
        err: expect.stringContaining('Make 5 jobs of the schedule s.fill? Nothing was changed'),
      });
      const answering = (reply: string) =>
        world.cli.runAnswering(reply, 'schedules', 'backfill', 's.fill', ...span, '--limit', '2');
      expect(await answering('n')).toMatchObject({ code: 3, err: expect.stringContaining('Make 2 jobs') });
      expect((await fill('--dry-run', '--json')).json).toEqual({ created: 5, existing: 0, dryRun: true });
      expect(await jobsOf('s.fill')).toEqual([]);
      expect(await answering('y')).toMatchObject({ code: 0, out: '2 jobs made; 0 ticks had one.\n' });
      expect((await fill('--yes', '--json')).json).toEqual({ created: 3, existing: 2, dryRun: false });
      expect(await jobsOf('s.fill')).toHaveLength(5);
      expect(await fill()).toMatchObject({ code: 0, out: 'No tick is without a job; 5 ticks had one.\n' });
    });

    it.each([
      [['pause', 'nowhere'], 1, 'nowhere'],
      [['preview', 'nowhere'], 1, 'nowhere'],
      [['puase', 'x'], 2, 'Did you mean "pause"? The actions are pause, resume, run, preview, backfill.'],
      [['run'], 2, '"schedules run" needs <name>.'],
      [['backfill', 'x'], 2, '"schedules backfill" needs --from and --to.'],
      [['run', 'x', '--reason', 'y'], 2, '--reason has no meaning with "schedules run".'],
      [['--yes'], 2, '--yes has no meaning without an action.'],
      [['preview', 'x', '-n', '0'], 2, '--count is "0"; it must be a whole number from 1 to 1000.'],
    ])('refuses %j', async (given, code, told) => {
      const answer = await run('schedules', ...given);
      expect(answer).toMatchObject({ code, out: '', err: expect.stringContaining(told) });
    });
  });
});

describe('The command line', () => {
  let world: CliWorld;
  /** Without a database. */
  let cli: Cli;
  beforeAll(async () => {
    world = await CliWorld.open(anyServer());
    cli = world.cli.in(process.cwd());
  });
  afterAll(() => world.close());

  it.each([
    [['--help'], 'Usage: nestjs-typeorm-jobs <command>'],
    [['help', 'list'], 'Usage: nestjs-typeorm-jobs list [options]'],
    [['cancel', '--help'], '--reason <text>'],
    [['schedules', '--help'], 'Actions:\n  pause     Keep it from making jobs'],
    [['--version'], '0.1.0'],
  ])('helps without a database: %j', async (given, text) => {
    expect(await cli.spawn(...given)).toMatchObject({ code: 0, err: '', out: expect.stringContaining(text) });
  });

  it.each([
    [[], 'No command is given.'],
    [['lsit'], 'There is no command "lsit".'],
    [['workrs'], 'Did you mean "workers"?'],
    [['list', '--staet', 'x'], 'There is no option "staet" here. Did you mean --state?'],
    [['list', 'x'], '"list" takes options alone, and "x" is none.'],
    [['show'], '"show" needs <id>.'],
    [['show', 'a', 'b'], '"show" takes <id>; 2 were given.'],
    [['list'], 'No database is named. Set DATABASE_URL, or give --data-source'],
  ])('refuses what it cannot do, and says why: %j', async (given, text) => {
    expect(await cli.run(...given)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(text) });
  });

  it.each([
    [['list', '-n', '1000'], '--limit is "1000"; it must be a whole number from 1 to 500.'],
    [['list', '--created-after', '2026-11-27'], 'it must be a date and time with its zone'],
    [['list', '--state', 'lost'], 'a state is one of'],
    [['retry', '--all', '--spread', 'soon'], '--spread is "soon"; it must be'],
    [['pause', 'x', '--for', '1h', '--until', '2031-01-01T00:00:00Z'], 'given together'],
    [['list', '--table-prefix', 'no-prefix'], '"tablePrefix" is'],
    [['stats', '--watch', '--interval', '1ms'], '--interval must be at least 500ms'],
  ])('refuses a wrong value: %j', async (given, text) => {
    expect(await world.run(...given)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(text) });
  });

  it('tells that the database cannot be reached, and keeps the password to itself', async () => {
    for (const url of ['postgres://me:s3cret@127.0.0.1:1/db', 'mysql://me:s3cret@127.0.0.1:1/db']) {
      const { code, out, err } = await world.cli.with({ databaseUrl: url }).run('list');
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(/^The database cannot be reached: .*ECONNREFUSED/);
      expect(err).not.toContain('s3cret');
    }
    const { code, err } = await world.cli.with({ databaseUrl: 'oracle://me:s3cret@host/db' }).run('list');
    expect(code).toBe(2);
    expect(err).toContain('"DATABASE_URL" is "oracle:…"; it must be a URL such as postgres://');
  });

  it('works on the table that is named', async () => {
    expect(await world.run('migrate', '--table-prefix', 'other_')).toMatchObject({ code: 0 });
    await world.client.enqueue('here');
    expect((await world.run('list', '--table-prefix', 'other_', '--json')).json).toMatchObject({ jobs: [] });
    await world.dataSource.query('CREATE SCHEMA apart');
    expect((await world.run('migrate', '--schema', 'apart')).out).toContain(
      'apart.nest_jobs is at version 2 now',
    );
    expect((await world.run('list', '--schema', 'apart', '--json')).json).toMatchObject({ jobs: [] });
  });

  describe('with a file that exports a DataSource', () => {
    let folder: string;
    let files: Cli;
    const options = () =>
      `{ type: 'postgres', url: '${urlOf(world.database)}', synchronize: true, dropSchema: true, logging: true }`;

    beforeAll(async () => {
      const cache = join(import.meta.dirname, '../../node_modules/.cache');
      await mkdir(cache, { recursive: true });
      folder = await mkdtemp(join(cache, 'cli-'));
      files = world.cli.in(folder);
      await world.client.enqueue('from.file', null, { id: 'stays' });
    });
    afterAll(() => rm(folder, { recursive: true }));
    const write = (name: string, text: string) => writeFile(join(folder, name), text);

    it.each([
      [
        'default.mjs',
        (o: string) => `import { DataSource } from 'typeorm'; export default new DataSource(${o});`,
      ],
      [
        'named.mjs',
        (o: string) =>
          `import { DataSource } from 'typeorm'; export const AppDataSource = new DataSource(${o});`,
      ],
      [
        'both.mjs',
        (o: string) =>
          `import { DataSource } from 'typeorm'; export const a = new DataSource(${o}); export default a;`,
      ],
      [
        'promise.mjs',
        (o: string) =>
          `import { DataSource } from 'typeorm'; export default new DataSource(${o}).initialize === null ? 0 : Promise.resolve(new DataSource(${o}));`,
      ],
      [
        'whole.cjs',
        (o: string) => `const { DataSource } = require('typeorm'); module.exports = new DataSource(${o});`,
      ],
      [
        'named.cjs',
        (o: string) =>
          `const { DataSource } = require('typeorm'); exports.AppDataSource = new DataSource(${o});`,
      ],
      [
        'default.cjs',
        (o: string) =>
          `const { DataSource } = require('typeorm'); exports.__esModule = true; exports.default = new DataSource(${o});`,
      ],
    ])('takes %s, and neither drops, changes nor logs what its options say', async (name, text) => {
      await write(name, text(options()));
      const { code, out, err } = await files.run('list', '-d', name, '-k', 'from.file', '--json');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(JSON.parse(out)).toMatchObject({ jobs: [{ id: 'stays' }] });
    });

    it.each([
      ['none.mjs', 'export const nothing = 1;', 'none.mjs exports no DataSource. Export it:'],
      [
        'two.mjs',
        `import { DataSource } from 'typeorm'; export const a = new DataSource({ type: 'postgres' }), b = new DataSource({ type: 'postgres' });`,
        'two.mjs exports 2 DataSources.',
      ],
      ['broken.mjs', 'throw new Error("no secret");', 'broken.mjs cannot be loaded: Error: no secret'],
      ['source.ts', 'enum A { B } export const x: A = A.B;', 'NODE_OPTIONS="--import tsx"'],
    ])('refuses %s, and says why', async (name, text, told) => {
      await write(name, text);
      const answer = await files.run('list', '--data-source', name);
      expect(answer).toMatchObject({ code: 2, out: '', err: expect.stringContaining(told) });
    });

    it('refuses a file that is not there', async () => {
      const answer = await files.run('list', '--data-source', 'nowhere.js');
      expect(answer).toMatchObject({
        code: 2,
        err: expect.stringContaining('There is no file nowhere.js in '),
      });
    });
  });
});
