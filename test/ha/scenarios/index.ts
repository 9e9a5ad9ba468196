import type { Group } from '../scenario.js';
import { GALERA } from './galera.js';
import { MARIADB } from './mariadb.js';
import { POSTGRES } from './postgres.js';

/** All groups, in the order in which they run. */
export const GROUPS: readonly Group[] = [POSTGRES, MARIADB, GALERA];
