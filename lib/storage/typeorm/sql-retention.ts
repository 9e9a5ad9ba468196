import type { Retention } from '../../job/retention.js';
import { RetentionStore, type Pruned, type PruneRange } from '../../queue/retention-store.js';
import type { Connections } from '../sql/connections.js';
import type { RetentionDialect } from '../sql/retention-dialect.js';

/** Deletes settled jobs in a database. */
export class SqlRetention extends RetentionStore {
  /** @param dialect for what is known of the server now */
  constructor(
    private readonly connections: Connections,
    private readonly dialect: () => RetentionDialect,
  ) {
    super();
  }

  prune(retention: Retention, range: PruneRange): Promise<Pruned> {
    return this.connections.run((sql) => this.dialect().prune(sql, retention, range));
  }
}
