import { describeOn, sqlite } from '../support/databases.js';
import { SqlStore } from '../support/store.js';
import { ClockedDatabase } from './clocked-store.js';
import { hostileSuite } from './suite.js';

describeOn(sqlite, 'On $name', (server) => hostileSuite(new ClockedDatabase(new SqlStore(server))));
