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
/** One of jobs that are done with the same result; and two of any outcomes, one of which records the attempts. */
const POSTGRES_SETTLEMENTS: readonly Held[] = (
  [
    ['$5', 1],
    ['$9', 2],
  ] as const
).map(([parameter, times]) => ({
  file: 'storage/postgres/settle.js',
  worker: `= ANY (${parameter}::varchar[])`,
  then: ', written AS (',
  times,
}));

/** Both engines: renewals go through their leases in the opposite order of settles. */
const REVERSED_RENEWALS: Patch = {
  file: 'storage/typeorm/lease-results.js',
  find: 'const renewed = await renew(inOrder(leases));',
  replace: 'const renewed = await renew([...inOrder(leases)].reverse());',
};

/** Both engines: a process fires what it has seen, whatever others have done since. */
const COMPARED_FIRES: readonly Patch[] = [
  {
    file: 'storage/sql/fire-plan.js',
    find: 'return own !== null && own.getTime() === at.getTime();',
    replace: 'return true;',
  },
  {
    file: 'storage/sql/fire-plan.js',
    find: 'tick.getTime() > after && !seen.has(job.id)',
    replace: 'true',
  },
  {
    file: 'schedules/tick-jobs.js',
    find: 'return `${name}@${tick.toISOString()}`;',
    replace: 'return `${name}@${tick.toISOString()}#${Math.random()}`;',
  },
];

/** Both engines: each enqueue makes a job of its own. */
const FREE_KEYS: Patch = {
  file: 'storage/sql/unique-plan.js',
  find: 'return holder !== undefined && isHeld(key, holder) ? holder.job.id : null;',
  replace: 'return null;',
};

/** Both engines: what runs is updated as well. The client looks first, and the editor under a lock. */
const ANY_UPDATED: readonly Patch[] = [
  {
    file: 'client/job-edits.js',
    find: "const WAITING = ['scheduled', 'blocked', 'ready', 'retrying'];",
    replace: "const WAITING = ['scheduled', 'blocked', 'ready', 'retrying', 'running'];",
  },
  {
    file: 'storage/typeorm/typeorm-job-editor.js',
    find: "status === 'PENDING' && !isHeld",
    replace: "status === 'PENDING'",
  },
];

/** Both engines: a worker reads the pauses, says that it obeys, and does not. */
const OPEN_GATE: Patch = {
  file: 'worker/control-gate.js',
  find: 'return this.isCurrent && (this.pauses.size === 0 || this.pauseOf(kind) === undefined);',
  replace: 'return true;',
};

/** What becomes of a job that is settled or given back, whether it was to be cancelled or not. */
const KEPT_OUTCOMES: Mutant['patches'] = {
  postgres: [
    {
      file: 'storage/postgres/settle.js',
      find: "CASE WHEN job.cancel_requested_at IS NULL OR held.status = 'DONE' THEN held.status ELSE 'CANCELLED' END",
      replace: 'held.status',
    },
    {
      file: 'storage/postgres/leases.js',
      find: "CASE WHEN cancel_requested_at IS NULL THEN status ELSE 'CANCELLED' END",
      replace: 'status',
      times: 2,
    },
  ],
  mariadb: [
    {
      file: 'storage/mysql/settle.js',
      find: "IF(job.cancel_requested_at IS NULL OR outcome.status = 'DONE', outcome.status, 'CANCELLED')",
      replace: 'outcome.status',
    },
    {
      file: 'storage/mysql/settle.js',
      find: "IF(cancel_requested_at IS NULL OR ? = 'DONE', ?, 'CANCELLED')",
      replace: 'IF(? IS NULL, status, ?)',
    },
    {
      file: 'storage/mysql/leases.js',
      find: "IF(cancel_requested_at IS NULL, status, 'CANCELLED')",
      replace: 'status',
    },
  ],
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
        ...POSTGRES_SETTLEMENTS.map((held) => ({
          file: held.file,
          find: POSTGRES_HELD(' SKIP LOCKED', held),
          replace: POSTGRES_HELD(' SKIP LOCKED', held, ''),
          times: held.times,
        })),
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
          find: ') + 1, crashes), last_attempt_at',
          replace: '), crashes), last_attempt_at',
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
        ...[POSTGRES_RENEWAL, ...POSTGRES_SETTLEMENTS].map((held) => ({
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
          find: 'UTC_TIMESTAMP(6), scheduled_at',
          replace: `${MARIADB_NOW}, scheduled_at`,
        },
        {
          file: 'storage/mysql/due.js',
          find: 'scheduled_at <= UTC_TIMESTAMP(6)',
          replace: `scheduled_at <= ${MARIADB_NOW}`,
        },
      ],
    },
  },
  {
    // One of the two alone is enough: a tick whose job exists is not made again, nor is one that is over.
    name: 'the comparison of fires, and the ids of the jobs of ticks',
    caughtBy: 'I13',
    faults: ['kill', 'stop'],
    patches: { postgres: COMPARED_FIRES, mariadb: COMPARED_FIRES },
  },
  {
    name: 'the look for who holds a key',
    caughtBy: 'I14',
    faults: ['kill', 'stop'],
    patches: { postgres: [FREE_KEYS], mariadb: [FREE_KEYS] },
  },
  {
    name: 'the end that cancelled jobs get by their outcomes',
    caughtBy: 'I15',
    faults: ['kill', 'stop'],
    patches: KEPT_OUTCOMES,
  },
  {
    name: 'the looks whether a job waits that is updated',
    caughtBy: 'I16',
    faults: ['kill', 'stop'],
    patches: {
      postgres: [
        ...ANY_UPDATED,
        {
          file: 'storage/postgres/rewrite.js',
          find: "AND job.status = 'PENDING' AND job.locked_by IS NULL",
          replace: "AND job.status = 'PENDING'",
        },
      ],
      mariadb: ANY_UPDATED,
    },
  },
  {
    name: 'the look whether a kind is paused',
    caughtBy: 'I17',
    faults: ['kill', 'stop'],
    patches: { postgres: [OPEN_GATE], mariadb: [OPEN_GATE] },
  },
  {
    name: 'the record of attempts whose worker died',
    caughtBy: 'I18',
    faults: ['kill'],
    patches: {
      postgres: [
        {
          file: 'storage/postgres/reclaim.js',
          find: 'FROM taken WHERE $5::boolean AND NOT is_late',
          replace: 'FROM taken WHERE $5::boolean AND is_late',
        },
      ],
      mariadb: [
        {
          file: 'storage/mysql/reclaim.js',
          find: "if (history !== 'none')",
          replace: "if (history === 'never')",
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
