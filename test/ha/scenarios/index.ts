import type { Group } from '../scenario.js';
import { MARIADB } from './mariadb.js';
import { POSTGRES } from './postgres.js';

/** All groups, in the order in which they run. */
export const GROUPS: readonly Group[] = [POSTGRES, MARIADB];
