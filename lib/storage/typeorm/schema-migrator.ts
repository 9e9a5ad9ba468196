import { after } from '../../async/timers.js';
import { SchemaVersionError, UnsupportedDatabaseError } from '../../job/storage-errors.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { Connections } from '../sql/connections.js';
import { driverErrorOf } from '../sql/database-errors.js';
import type { Dialect } from '../sql/dialect.js';
import type { SchemaStep } from '../sql/schema-dialect.js';
import { versionIn, versionOf } from '../sql/schema-version.js';
import type { Sql } from '../sql/sql.js';

/** How long a process waits for the lock of the schema before it says so. */
const LOCK_NOTICE_MS = 5_000;

/** Brings the jobs table to the version that this release needs, or says what is missing. */
export class SchemaMigrator {
  constructor(
    private readonly connections: Connections,
    private readonly dialect: Dialect,
    private readonly events: JobsEvents,
  ) {}

  /**
   * `auto` creates and upgrades the table under a lock, so that any number of processes may start at once.
   * `manual` only looks.
   *
   * @param signal breaks it off
   * @throws UnsupportedDatabaseError, SchemaVersionError
   */
  async run(mode: 'auto' | 'manual', signal?: AbortSignal): Promise<void> {
    await this.connections.run((sql) => this.bringUp(sql, mode), { answerMs: Infinity, signal });
  }

  private async bringUp(sql: Sql, mode: 'auto' | 'manual'): Promise<void> {
    if ((await this.version(sql)) >= this.wanted) {
      await this.mendComment(sql, mode);
      return;
    }
    if (mode === 'manual') throw await this.missing(sql);
    await this.locked(sql, () => this.upgrade(sql));
  }

  private get wanted(): number {
    return this.dialect.schema.steps.at(-1)!.version;
  }

  private get table(): string {
    return this.dialect.table.name;
  }

  private async locked(sql: Sql, work: () => Promise<void>): Promise<void> {
    const { table } = this;
    const cancel = after(LOCK_NOTICE_MS, () => this.events.emit('schemaLockAwaited', { table }));
    try {
      await this.dialect.schema.whileMigrating(sql, () => {
        cancel();
        return work();
      });
    } finally {
      cancel();
    }
  }

  private async upgrade(sql: Sql): Promise<void> {
    const found = await this.version(sql); // another process may have been here first
    for (const step of this.dialect.schema.steps.filter(({ version }) => version > found)) {
      const { version } = step;
      if (await this.take(sql, step, found))
        this.events.emit('schemaUpgraded', { table: this.table, version });
    }
  }

  /** @returns whether it was taken here: the nodes of a Galera cluster do not see each other's locks */
  private async take(sql: Sql, { version, up }: SchemaStep, found: number): Promise<boolean> {
    try {
      for (const statement of up) await sql.query(statement);
      return true;
    } catch (error) {
      const reached = await this.version(sql).catch(() => found);
      if (reached >= version) return false;
      return this.refused(found, error);
    }
  }

  /** @throws SchemaVersionError if the database has refused a change; otherwise the error */
  private refused(found: number, error: unknown): never {
    const { errors } = this.dialect;
    if (!errors.wasRefused(error) || errors.wantsRetry(error)) throw error;
    const reason = (driverErrorOf(error) as Partial<Error>).message;
    const problem =
      `Could not ${found === 0 ? 'make' : 'upgrade'} the table "${this.table}": ${reason}. Either let the account of the ` +
      "application make tables there, or set migrate: 'manual' and run the migrations of jobsMigrations() by an account that may.";
    throw new SchemaVersionError(this.table, found, this.wanted, problem, { cause: error });
  }

  /**
   * A newer version than ours is fine: a newer release runs beside this one.
   * @throws UnsupportedDatabaseError, SchemaVersionError
   */
  private async version(sql: Sql): Promise<number> {
    const found = await this.dialect.schema.find(sql);
    const version = versionOf(found, this.dialect.schema.steps);
    if (version === null) {
      const problem =
        `There is a table "${this.table}" already that was not made by this package. ` +
        `Set another tablePrefix, or another schema.`;
      throw new SchemaVersionError(this.table, 0, this.wanted, problem);
    }
    if (found?.problem === undefined) return version;
    throw new UnsupportedDatabaseError(`The table "${this.table}" ${found.problem}`);
  }

  /** A dump without comments loses the one that tells the version. Another comment in its place is left alone. */
  private async mendComment(sql: Sql, mode: 'auto' | 'manual'): Promise<void> {
    const found = await this.dialect.schema.find(sql);
    const version = versionOf(found, this.dialect.schema.steps)!;
    const statement = this.dialect.schema.comment(version);
    if (found === null || versionIn(found.comment) !== null || found.comment || statement === null) return;
    const isMended = mode === 'auto' && (await succeeds(sql.query(statement)));
    this.events.emit('schemaRecognized', { table: this.table, version, isMended, statement });
  }

  private async missing(sql: Sql): Promise<SchemaVersionError> {
    const found = await this.version(sql);
    const state =
      found === 0
        ? `There is no table "${this.table}", or this account may not see it`
        : `The table "${this.table}" is of version ${found}`;
    const problem =
      `${state}, and this release needs version ${this.wanted}. Add jobsMigrations() to the migrations of your ` +
      `DataSource and run them, or set migrate: 'auto'.`;
    return new SchemaVersionError(this.table, found, this.wanted, problem);
  }
}

function succeeds(statement: Promise<unknown>): Promise<boolean> {
  return statement.then(
    () => true,
    () => false,
  );
}
