import { DataSource } from 'typeorm';
import { createApplication } from './application.mjs';

const TABLES = [
  `DROP TABLE IF EXISTS nest_jobs`,
  `DROP TABLE IF EXISTS bench_orders`,
  `CREATE TABLE bench_orders (id serial PRIMARY KEY, email varchar(255) NOT NULL)`,
];

/** This package, with default options unless a scenario is about an option. */
export class Ours {
  /**
   * @param mariadbUrl makes MariaDB the store, if it is given
   * @param sqliteFile makes SQLite the store, if it is given
   * @param hasDashboard whether a process that only enqueues serves a dashboard as well
   * @param build the folder of the build, relative to the root of the project
   */
  constructor(settings) {
    const { postgresUrl, mariadbUrl, sqliteFile, workerOptions, retention } = settings;
    const { hasDashboard = false, build = 'dist' } = settings;
    this.retention = retention;
    this.hasDashboard = hasDashboard;
    this.build = build;
    this.database =
      sqliteFile !== undefined
        ? { type: 'better-sqlite3', database: sqliteFile }
        : mariadbUrl !== undefined
          ? { type: 'mysql', url: mariadbUrl }
          : { type: 'postgres', url: postgresUrl };
    this.workerOptions = workerOptions;
  }

  async reset() {
    const dataSource = await new DataSource(this.database).initialize();
    for (const statement of TABLES) await dataSource.query(statement);
    await dataSource.destroy();
    await this.close();
    await this.open();
  }

  async open() {
    await this.start({ worker: false }, undefined, this.hasDashboard ? await this.dashboard() : undefined);
  }

  async enqueue(payload) {
    await this.jobs.enqueue('bench', payload);
  }

  async enqueueAt(payload, ms) {
    await this.jobs.enqueue('bench', payload, { runAt: new Date(ms) });
  }

  async enqueueMany(payloads) {
    await this.jobs.enqueueMany(payloads.map((payload) => ({ kind: 'bench', payload })));
  }

  async enqueueInTransaction(payload) {
    await this.dataSource.transaction(async (manager) => {
      await manager.query('INSERT INTO bench_orders (email) VALUES ($1)', ['a@example.com']);
      await this.jobs.enqueue('bench', payload, { manager });
    });
  }

  async prepareToWork(handler) {
    const { workerOptions: worker, retention } = this;
    await this.start({ ...(worker && { worker }), ...(retention && { retention }) }, handler);
    this.worker = this.app.get(this.library.Worker);
    await this.worker.stop();
  }

  async work() {
    await this.worker.start();
  }

  async rest() {
    await this.worker.stop();
  }

  /** Deletes old jobs as the worker does when it is its turn. */
  async prune() {
    const { PruneSettled } = await import(`../../../${this.build}/maintenance/prune-settled.js`);
    const { ChorePace } = await import(`../../../${this.build}/maintenance/chore-pace.js`);
    const { resolveRetention } = await import(`../../../${this.build}/job/retention.js`);
    const { JobQueue, JobsEvents } = this.library;
    const events = new JobsEvents();
    this.pruning = new globalThis.AbortController();
    this.deleted = 0;
    events.on('pruned', ({ count }) => (this.deleted += count));
    const { retention: store } = this.app.get(JobQueue);
    const pace = new ChorePace(() => this.worker.isBehind);
    const chore = new PruneSettled(store, resolveRetention(this.retention ?? {}), pace, events);
    const begun = performance.now();
    const { signal } = this.pruning;
    this.prunes = chore
      .run(signal, { reached: this.reached ?? null, now: Date.now() })
      .then(({ reached, dueInMs }) => {
        this.reached = dueInMs === 0 ? reached : null;
        return performance.now() - begun;
      });
  }

  async restFromPruning() {
    this.pruning.abort();
    await this.prunes;
    return this.deleted;
  }

  async pruned() {
    const ms = await this.prunes;
    return { left: this.deleted, ms };
  }

  /** Begins to do something with many jobs: `cancelMany`, `retryMany` or `deleteMany`. */
  async changeMany(call, filter) {
    this.changing = new globalThis.AbortController();
    this.changed = this.jobs[call](filter, { signal: this.changing.signal }).catch((error) => {
      if (!this.changing.signal.aborted) throw error;
    });
  }

  async restFromChanging() {
    this.changing.abort();
    await this.changed;
  }

  /** Opens an overview, as a browser does, which is told what is new until `restFromWatching`. */
  async watchOverview() {
    this.watching = new globalThis.AbortController();
    const { signal } = this.watching;
    const { body } = await this.fetchFromDashboard('api/live', { signal });
    this.watched = (async () => {
      let bytes = 0;
      try {
        for await (const chunk of body) bytes += chunk.length;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      return bytes;
    })();
  }

  /** @returns how many bytes it was told */
  async restFromWatching() {
    this.watching.abort();
    return this.watched;
  }

  /** Asks the dashboard for what a screen shows. */
  async fetchScreen(query) {
    const answer = await this.fetchFromDashboard(`api/${query}`);
    if (!answer.ok) throw new Error(`${query}: ${await answer.text()}`);
    return answer.json();
  }

  async fetchFromDashboard(path, options) {
    return globalThis.fetch(`${await this.app.getUrl()}/jobs/${path}`, options);
  }

  async dashboard() {
    const { JobsDashboardModule } = await import(`../../../${this.build}/dashboard/index.js`);
    return JobsDashboardModule.forRoot({ path: 'jobs', unguarded: true });
  }

  /**
   * Counts by the indexes of ready and of running jobs. Among a million other rows, a count of the whole table would be
   * most of what is measured.
   */
  async left() {
    const isDue = this.database.type === 'postgres' ? 'due' : 'due = 1';
    const [ready, running] =
      this.database.type === 'mysql'
        ? [`ready_kind = 'bench'`, 'running = 1']
        : [`locked_by IS NULL AND ${isDue} AND kind = 'bench'`, 'locked_by IS NOT NULL'];
    return (
      (await this.count(`status = 'PENDING' AND ${ready}`)) +
      (await this.count(`status = 'PENDING' AND ${running}`))
    );
  }

  async done() {
    return this.count(`kind = 'bench' AND status = 'DONE' AND result IS NOT NULL`);
  }

  async close() {
    await this.app?.close();
    this.app = undefined;
  }

  async start(options, handler, dashboard) {
    this.library = await import(`../../../${this.build}/index.js`);
    this.app = await createApplication(this.library, this.database, options, handler, dashboard);
    this.jobs = this.app.get(this.library.JobClient);
    this.dataSource = this.app.get(DataSource);
  }

  async count(condition) {
    const [row] = await this.dataSource.query(`SELECT count(*) AS n FROM nest_jobs WHERE ${condition}`);
    return Number(row.n);
  }
}
