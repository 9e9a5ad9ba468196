import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { SchemaDialect, SchemaStep } from '../sql/schema-dialect.js';
import { dialectFor, type JobsTableOptions } from './dialect-for.js';
import { dataSourceOf } from '../transactions/typeorm-compat.js';
import { SCHEMA_VERSIONS, versionOf } from '../sql/schema-version.js';
import { sqlThrough } from '../sql/sql.js';

export type JobsMigrationsOptions = Partial<JobsTableOptions>;

/**
 * TypeORM migrations that create and upgrade the jobs table, for the `migrations` of a DataSource whose pipeline runs
 * them. Give the same `tablePrefix` and `schema` as the module, and set its `migrate` to `'manual'`. A table that
 * `migrate: 'auto'` made is taken over as it is.
 */
export function jobsMigrations(options: JobsMigrationsOptions = {}): (new () => MigrationInterface)[] {
  const table: JobsTableOptions = { tablePrefix: 'nest_', ...options };
  return SCHEMA_VERSIONS.map(({ version, timestamp }) => {
    const name = `NestJobs_${table.tablePrefix}${version}_${timestamp}`;
    return class implements MigrationInterface {
      readonly name = name;

      async up(queryRunner: QueryRunner): Promise<void> {
        const { schema, step } = stepFor(queryRunner, table, version);
        const found = versionOf(await schema.find(sqlThrough(queryRunner)), schema.steps);
        if (found !== null && found >= version) return;
        for (const statement of step.up) await queryRunner.query(statement);
      }

      async down(queryRunner: QueryRunner): Promise<void> {
        const { step } = stepFor(queryRunner, table, version);
        for (const statement of step.down) await queryRunner.query(statement);
      }
    };
  });
}

function stepFor(
  queryRunner: QueryRunner,
  table: JobsTableOptions,
  version: number,
): { schema: SchemaDialect; step: SchemaStep } {
  const { schema } = dialectFor(dataSourceOf(queryRunner), table);
  return { schema, step: schema.steps.find((step) => step.version === version)! };
}
