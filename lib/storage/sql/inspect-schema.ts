import type { StorageFinding } from '../../queue/inspector.js';
import type { Dialect, JobsTable } from './dialect.js';
import type { FoundIndex, WantedIndex } from './inspection-dialect.js';
import type { FoundTable, SchemaStep } from './schema-dialect.js';
import { versionIn, versionOf } from './schema-version.js';
import { SIDE_TABLE_KEYS, sideTable, type SideTable } from './side-tables.js';
import type { Sql } from './sql.js';

/** What is known of the tables. */
export interface SchemaLook {
  /** 0 where there is none, null where it is not ours. */
  readonly version: number | null;
  /** The names of those that are there. */
  readonly tables: readonly string[];
  readonly findings: readonly StorageFinding[];
}

const MIGRATE =
  "Run `nestjs-typeorm-jobs migrate`, or the migrations of jobsMigrations() where migrate is 'manual'.";

/** Compares what there is with what this release needs. */
export async function inspectSchema(
  sql: Sql,
  dialect: Pick<Dialect, 'table' | 'schema' | 'inspection'>,
): Promise<SchemaLook> {
  const { table, schema, inspection } = dialect;
  const found = await schema.find(sql);
  const version = versionOf(found, schema.steps);
  const unsuitable =
    found === null || version === null ? unknownTable(table, found) : suitability(table, found);
  if (unsuitable !== null) return { version, tables: [], findings: [unsuitable] };
  const steps = schema.steps.filter((step) => step.version <= version!);
  const isCurrent = version! >= schema.steps.at(-1)!.version;
  const suffixes = isCurrent ? (Object.keys(SIDE_TABLE_KEYS) as SideTable[]) : [];
  const wanted = [table.name, ...suffixes.map((suffix) => sideTable(table, suffix).name)];
  const tables = await inspection.tables(sql, wanted);
  const indexes = await inspection.indexes(sql, tables);
  const missing = wanted.filter((name) => name !== table.name && !tables.includes(name));
  return {
    version,
    tables,
    findings: [
      ...versions(table, found!, version!, schema.steps, schema.comment(version!)),
      ...columns(table, found!, steps),
      ...missing.map(missingSideTable),
      ...(isCurrent ? indexFindings(inspection.wantedIndexes, indexes, tables) : []),
    ],
  };
}

function unknownTable({ name, quoted }: JobsTable, found: FoundTable | null): StorageFinding {
  if (found === null)
    return {
      code: 'table-missing',
      severity: 'error',
      trouble: `There is no table ${quoted}, or this account may not see it.`,
      remedy: `${MIGRATE} Where the module has a name, a tablePrefix or a schema, give --table-prefix and --schema.`,
    };
  return {
    code: 'table-unsuitable',
    severity: 'error',
    trouble: `The table ${quoted} was not made by this package, or has lost columns that all of its versions have.`,
    remedy: `Set another tablePrefix or schema for the jobs, or bring "${name}" back from a backup.`,
  };
}

function suitability({ quoted }: JobsTable, { problem }: FoundTable): StorageFinding | null {
  if (problem === undefined) return null;
  const [state, ...remedy] = problem.split('. ');
  return {
    code: 'table-unsuitable',
    severity: 'error',
    trouble: `The table ${quoted} ${state!}.`,
    remedy: remedy.join('. '),
  };
}

function versions(
  { name }: JobsTable,
  { comment }: FoundTable,
  version: number,
  steps: readonly SchemaStep[],
  statement: string | null,
): StorageFinding[] {
  const wanted = steps.at(-1)!.version;
  if (version < wanted)
    return [
      {
        code: 'schema-behind',
        severity: 'error',
        trouble: `The table ${name} is of version ${version}, and this release needs version ${wanted}.`,
        remedy: MIGRATE,
      },
    ];
  if (version > wanted)
    return [
      {
        code: 'schema-ahead',
        severity: 'warning',
        trouble: `The table ${name} is of version ${version}, and this release knows versions up to ${wanted}.`,
        remedy: 'Run the command of the newest release that is deployed, and deploy that one everywhere.',
      },
    ];
  if (versionIn(comment) !== null || statement === null) return [];
  return [
    {
      code: 'version-lost',
      severity: 'warning',
      trouble: `The table ${name} has lost the comment that tells its version, as in a dump without comments. It was recognized by its columns.`,
      remedy: `Run: ${statement}`,
    },
  ];
}

function columns({ name }: JobsTable, found: FoundTable, steps: readonly SchemaStep[]): StorageFinding[] {
  const wanted = steps.flatMap((step) => step.columns);
  const missing = wanted.filter((column) => !found.columns.includes(column));
  if (missing.length === 0) return [];
  return [
    {
      code: 'column-missing',
      severity: 'error',
      trouble: `The table ${name} has lost the ${missing.length === 1 ? 'column' : 'columns'} ${missing.join(', ')}. Statements of workers fail.`,
      remedy:
        'Add them again as the sources of this release define them, lib/storage/*/schema, or bring the table back from a backup.',
    },
  ];
}

function missingSideTable(name: string): StorageFinding {
  return {
    code: 'side-table-missing',
    severity: 'error',
    trouble: `There is no table ${name}, or this account may not see it. What is kept in it does not work.`,
    remedy:
      'Bring it back from a backup, or make it as the sources of this release define it, lib/storage/*/schema.',
  };
}

/** An index under another name does as well. */
function indexFindings(
  wanted: readonly WantedIndex[],
  found: readonly FoundIndex[],
  tables: readonly string[],
): StorageFinding[] {
  return wanted
    .filter(({ table }) => tables.includes(table))
    .flatMap((index) => {
      const alike = found.filter((one) => isAlike(one, index));
      if (alike.some(({ isUsable }) => isUsable)) return [];
      if (alike.length > 0) return [unusable(alike[0]!, index)];
      const named = found.find(({ table, name }) => table === index.table && name === index.name);
      return [named === undefined ? missingIndex(index) : differing(named, index)];
    });
}

function isAlike(found: FoundIndex, { table, columns: wanted, where }: WantedIndex): boolean {
  return found.table === table && found.columns.join() === wanted.join() && found.where === where;
}

const HARM = 'Statements read the whole table instead, and become slower with each job that is kept.';

function missingIndex({ table, name, statement }: WantedIndex): StorageFinding {
  return {
    code: 'index-missing',
    severity: 'error',
    trouble: `The table ${table} has no index ${name}. ${HARM}`,
    remedy: `Run: ${statement}`,
  };
}

function differing(found: FoundIndex, { table, name, statement }: WantedIndex): StorageFinding {
  const condition = found.where === null ? '' : ` WHERE ${found.where}`;
  return {
    code: 'index-differs',
    severity: 'error',
    trouble: `The index ${name} of ${table} is on (${found.columns.join(', ')})${condition}. ${HARM}`,
    remedy: `Drop it, and run: ${statement}`,
  };
}

function unusable({ name }: FoundIndex, { table, statement }: WantedIndex): StorageFinding {
  return {
    code: 'index-unusable',
    severity: 'error',
    trouble: `The index ${name} of ${table} is there, and is invalid or ignored. ${HARM}`,
    remedy: `Drop it, and run: ${statement}. On MySQL and MariaDB it may be enough to alter it to VISIBLE, or NOT IGNORED.`,
  };
}
