import { SchemaVersionError } from '../../job/storage-errors.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import type { Sql } from '../sql/sql.js';

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
   * @throws UnsupportedDatabaseError, SchemaVersionError
   */
  async run(mode: 'auto' | 'manual'): Promise<void> {
    await this.connections.run((sql) => this.bringUp(sql, mode), { answerMs: Infinity });
  }

  private async bringUp(sql: Sql, mode: 'auto' | 'manual'): Promise<void> {
    await this.dialect.schema.requireVersion(sql);
    if ((await this.version(sql)) >= this.wanted) return;
    if (mode === 'manual') throw await this.missing(sql);
    await this.dialect.schema.whileMigrating(sql, () => this.upgrade(sql));
  }

  private get wanted(): number {
    return this.dialect.schema.steps.at(-1)!.version;
  }

  private async upgrade(sql: Sql): Promise<void> {
    const version = await this.version(sql); // another process may have been here first
    for (const step of this.dialect.schema.steps.filter((candidate) => candidate.version > version)) {
      for (const statement of step.up) await sql.query(statement);
      this.events.emit('schemaUpgraded', { table: this.dialect.table.name, version: step.version });
    }
  }

  /** A newer version than ours is fine: a newer release runs beside this one. */
  private async version(sql: Sql): Promise<number> {
    const { name } = this.dialect.table;
    const version = await this.dialect.schema.schemaVersion(sql);
    if (version !== null) return version;
    const problem =
      `There is a table "${name}" already that was not made by this package. ` +
      `Set another tablePrefix, or another schema.`;
    throw new SchemaVersionError(name, 0, this.wanted, problem);
  }

  private async missing(sql: Sql): Promise<SchemaVersionError> {
    const { name } = this.dialect.table;
    const found = await this.version(sql);
    const state = found === 0 ? `There is no table "${name}"` : `The table "${name}" is of version ${found}`;
    const problem =
      `${state}, and this release needs version ${this.wanted}. Add jobsMigrations() to the migrations of your ` +
      `DataSource and run them, or set migrate: 'auto'.`;
    return new SchemaVersionError(name, found, this.wanted, problem);
  }
}
