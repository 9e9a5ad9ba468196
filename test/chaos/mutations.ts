import type { RunOptions } from './run.js';
import type { Engine } from './server.js';

/** A replacement in a file of the build. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** How often the text must be there; each is replaced. Default 1. */
  readonly times?: number;
}

/** The package without one of its guards. */
export interface Mutant {
  readonly name: string;
  /** The invariant that the guard is there for; `nothing` for the package as it is. */
  readonly caughtBy: string;
  /** The faults that need the guard. */
  readonly faults: RunOptions['faults'];
  /** Default: what is enough for most. More where the guard is seldom needed. */
  readonly jobs?: number;
  readonly patches: Readonly<Record<Engine, readonly Patch[]>>;
}

/** How far the clock of the process is wrong, as SQL would use it that asked the process for the time. */
const OFFSET_MS = '${Math.round(Date.now() - performance.timeOrigin - performance.now())}';
const POSTGRES_NOW = `now() + ${OFFSET_MS} * interval '1 millisecond'`;
const MARIADB_NOW = `UTC_TIMESTAMP(6) + INTERVAL ${OFFSET_MS} * 1000 MICROSECOND`;

/** Statements of a file that are alike, but for the place of their workers. */
interface Held {
  readonly file: string;
  readonly worker: string;
  readonly then: string;
  readonly times: number;
}

/** How statements about leases find and lock their rows; and what tells renewals and settlements apart. */
const POSTGRES_HELD = (
  skip: string,
  { worker, then }: Held,
  token = 'lease_token = given.lease_token AND ',
) =>
  `WHERE id = given.id AND ${token}status = 'PENDING' AND locked_by ${token === '' ? `IS NOT NULL AND (true OR locked_by ${worker})` : worker}
      FOR UPDATE${skip}
    ) AS job
  )${then}`;
const POSTGRES_RENEWAL: Held = {
  file: 'storage/postgres/leases.js',
  worker: '= ANY ($5::varchar[])',
  then: '\n  UPDATE ${table} AS job\n  SET locked_until',
  times: 1,
};
const POSTGRES_SETTLEMENTS: Held = {
  file: 'storage/postgres/settle.js',
  worker: '= ANY ($8::varchar[])',
  then: ', written AS (',
  times: 2,
};

/** Both engines: renewals go through their leases in the opposite order of settles. */
const REVERSED_RENEWALS: Patch = {
  file: 'storage/typeorm/lease-results.js',
  find: 'const sorted = leases.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));',
  replace:
    "const sorted = leases.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)); if (leases[0] && !('outcome' in leases[0])) sorted.reverse();",
};

export const MUTANTS: readonly Mutant[] = [
  {
    // The checker must not see what is not there, either.
    name: 'anything missing',
    caughtBy: 'nothing',
    faults: ['kill', 'stop', 'terminate', 'lock'],
    patches: { postgres: [], mariadb: [] },
  },
  {
    name: 'the token and the worker in settle',
    caughtBy: 'I4',
    faults: ['stop'],
    jobs: 6_000, // so that long ones are frozen, which others have taken by the time that they end
    patches: {
      postgres: [
        {
          file: POSTGRES_SETTLEMENTS.file,
          find: POSTGRES_HELD(' SKIP LOCKED', POSTGRES_SETTLEMENTS),
          replace: POSTGRES_HELD(' SKIP LOCKED', POSTGRES_SETTLEMENTS, ''),
          times: POSTGRES_SETTLEMENTS.times,
        },
      ],
      mariadb: [
        {
          file: 'storage/mysql/locked-leases.js',
          find: 'leases.filter((lease) => isHolderOf(locked.get(lease.id), lease))',
          replace:
            "leases.filter((lease) => 'outcome' in lease ? locked.has(lease.id) : isHolderOf(locked.get(lease.id), lease))",
        },
      ],
    },
  },
  {
    name: 'the count of crashes',
    caughtBy: 'I6',
    faults: ['kill'],
    patches: {
      postgres: [
        {
          file: 'storage/postgres/reclaim.js',
          find: 'crashes = expired.crashes,',
          replace: 'crashes = job.crashes,',
        },
      ],
      mariadb: [
        {
          file: 'storage/mysql/reclaim.js',
          find: ') + 1, last_attempt_at',
          replace: '), last_attempt_at',
        },
      ],
    },
  },
  {
    name: 'the retry of settles',
    caughtBy: 'I5',
    faults: ['terminate'],
    jobs: 6_000, // so that a connection is terminated in the middle of a settlement
    patches: {
      postgres: [withoutRetry()],
      mariadb: [withoutRetry()],
    },
  },
  {
    // The order alone is not needed where nothing waits, and nothing waits where locked rows are skipped: one guard.
    name: 'the order of locks, and skipping what is locked',
    caughtBy: 'I12',
    faults: ['lock'],
    patches: {
      postgres: [
        REVERSED_RENEWALS,
        ...[POSTGRES_RENEWAL, POSTGRES_SETTLEMENTS].map((held) => ({
          file: held.file,
          find: POSTGRES_HELD(' SKIP LOCKED', held),
          replace: POSTGRES_HELD('', held),
          times: held.times,
        })),
      ],
      mariadb: [
        REVERSED_RENEWALS,
        {
          file: 'storage/mysql/locked-leases.js',
          find: 'WHERE id IN (?) AND running = 1\n  ORDER BY id\n  FOR UPDATE SKIP LOCKED',
          replace: 'WHERE id IN (?) AND running = 1\n  ORDER BY id\n  FOR UPDATE',
        },
        {
          // The database goes through a list by its primary key, in whatever order it is given: one by one, then.
          file: 'storage/mysql/locked-leases.js',
          find: 'const rows = await sql.query(this.lockLeases, [leases.map((lease) => lease.id)]);',
          replace:
            'const rows = []; for (const lease of leases) rows.push(...await sql.query(this.lockLeases, [[lease.id]]));',
        },
      ],
    },
  },
  {
    name: "the database's clock where leases are taken back",
    caughtBy: 'I5',
    faults: ['kill'],
    patches: {
      postgres: [
        {
          file: 'storage/postgres/reclaim.js',
          find: 'locked_until < now()',
          replace: `locked_until < ${POSTGRES_NOW}`,
        },
      ],
      mariadb: [
        {
          file: 'storage/mysql/reclaim.js',
          find: 'locked_until < UTC_TIMESTAMP(6)',
          replace: `locked_until < ${MARIADB_NOW}`,
          times: 2,
        },
      ],
    },
  },
  {
    name: "the database's clock where jobs are claimed",
    caughtBy: 'I9',
    faults: ['kill'],
    patches: {
      postgres: [
        {
          file: 'storage/postgres/claim.js',
          find: 'run_at <= now()',
          replace: `run_at <= ${POSTGRES_NOW}`,
          times: 5,
        },
      ],
      mariadb: [
        {
          file: 'storage/mysql/ready-rows.js',
          find: 'run_at <= UTC_TIMESTAMP(6)',
          replace: `run_at <= ${MARIADB_NOW}`,
          times: 2,
        },
        {
          file: 'storage/mysql/best-jobs.js',
          find: 'run_at <= UTC_TIMESTAMP(6)',
          replace: `run_at <= ${MARIADB_NOW}`,
        },
        {
          file: 'storage/mysql/best-jobs.js',
          find: 'scheduled_at <= UTC_TIMESTAMP(6)',
          replace: `scheduled_at <= ${MARIADB_NOW}`,
        },
        {
          file: 'storage/mysql/due.js',
          find: 'scheduled_at <= UTC_TIMESTAMP(6)',
          replace: `scheduled_at <= ${MARIADB_NOW}`,
        },
      ],
    },
  },
];

function withoutRetry(): Patch {
  return {
    file: 'execution/settler.js',
    find: 'this.tryAgain(settlement, isRefused);',
    replace: 'this.close(settlement);',
  };
}

/** @throws where the text is not there as often as the patch says: the package has changed, and so must the patch */
export function patched(text: string, { file, find, replace, times = 1 }: Patch): string {
  const parts = text.split(find);
  if (parts.length === times + 1) return parts.join(replace);
  throw new Error(`${file} has this ${parts.length - 1} times, and not ${times}:\n${find}`);
}
