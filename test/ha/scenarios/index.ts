import type { Group } from '../scenario.js';
import { GALERA } from './galera.js';
import { MARIADB } from './mariadb.js';
import { POSTGRES, POSTGRES_SILENT } from './postgres.js';

/** All groups. Those of a lane run one after another, and the lanes beside each other: most of the time is spent waiting. */
export const LANES: readonly (readonly Group[])[] = [
  [POSTGRES, POSTGRES_SILENT],
  [MARIADB, GALERA],
];
