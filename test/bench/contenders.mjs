import { existsSync } from 'node:fs';
import { BullMq } from './contenders/bullmq.mjs';
import { Floor } from './contenders/floor.mjs';
import { GraphileWorker } from './contenders/graphile-worker.mjs';
import { ListeningFloor } from './contenders/listening-floor.mjs';
import { MariadbFloor } from './contenders/mariadb-floor.mjs';
import { Ours } from './contenders/ours.mjs';
import { PgBossContender } from './contenders/pg-boss.mjs';

/** The folder of an earlier build of this package. If it exists, it is measured beside the current build. */
const BUILD_BEFORE = 'dist-before';

/**
 * The contenders: the label in tables, the store that it needs, and how to create it. One with `pushes` is measured across
 * processes as well.
 */
export const CONTENDERS = {
  floor: { label: 'floor', store: 'postgres', make: (urls) => new Floor(urls) },
  'floor-rows': {
    label: 'floor, row by row',
    store: 'postgres',
    make: (urls) => new Floor({ ...urls, best: false }),
  },
  'floor-listening': {
    label: 'floor, LISTEN and NOTIFY',
    store: 'postgres',
    make: (urls) => new ListeningFloor(urls),
  },
  ours: {
    label: 'nestjs-typeorm-jobs',
    store: 'postgres',
    pushes: true,
    make: (settings) => new Ours(settings),
  },
  bullmq: {
    label: 'bullmq, concurrency 10',
    store: 'redis',
    pushes: true,
    make: (urls) => new BullMq(urls),
  },
  'bullmq-tuned': {
    label: 'bullmq, tuned',
    store: 'redis',
    make: (urls) => new BullMq({ ...urls, tuned: true }),
  },
  graphile: {
    label: 'graphile-worker, concurrency 10',
    store: 'postgres',
    pushes: true,
    make: (urls) => new GraphileWorker(urls),
  },
  'graphile-tuned': {
    label: 'graphile-worker, tuned',
    store: 'postgres',
    make: (urls) => new GraphileWorker({ ...urls, tuned: true }),
  },
  'pg-boss': { label: 'pg-boss, tuned', store: 'postgres', make: (urls) => new PgBossContender(urls) },
  'pg-boss-idle': {
    label: 'pg-boss, polling as by default',
    store: 'postgres',
    pushes: true,
    make: (urls) => new PgBossContender({ ...urls, tuned: false }),
  },
  'floor-mariadb': { label: 'floor, MariaDB', store: 'mariadb', make: (urls) => new MariadbFloor(urls) },
  'ours-mariadb': {
    label: 'nestjs-typeorm-jobs, MariaDB',
    store: 'mariadb',
    make: (settings) => new Ours(settings),
  },
  'ours-sqlite': {
    label: 'nestjs-typeorm-jobs, SQLite',
    store: 'sqlite',
    make: (settings) => new Ours(settings),
  },
  before: {
    label: 'nestjs-typeorm-jobs, before',
    store: 'postgres',
    make: (settings) => new Ours({ ...settings, build: BUILD_BEFORE }),
  },
  'before-mariadb': {
    label: 'nestjs-typeorm-jobs, before, MariaDB',
    store: 'mariadb',
    make: (settings) => new Ours({ ...settings, build: BUILD_BEFORE }),
  },
};

const hasBefore = existsSync(new URL(`../../${BUILD_BEFORE}/index.js`, import.meta.url));

/** Adds the earlier build after each turn of the current one, if the earlier build exists. */
export function withBefore(contenders) {
  if (!hasBefore) return contenders;
  return contenders.flatMap((name) =>
    CONTENDERS[name.replace('ours', 'before')] === undefined
      ? [name]
      : [...new Set([name, name.replace('ours', 'before')])],
  );
}
