import type { Group } from '../scenario.js';
import { GALERA } from './galera.js';
import { MARIADB } from './mariadb.js';
import { POSTGRES, POSTGRES_SILENT } from './postgres.js';

/** All groups, in the order in which they run. */
export const GROUPS: readonly Group[] = [POSTGRES, POSTGRES_SILENT, MARIADB, GALERA];
