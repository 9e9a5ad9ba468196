import {
  AuditStore,
  type AuditedAction,
  type AuditedOutcome,
  type AuditPage,
} from '../../queue/audit-store.js';
import type { AuditDialect } from '../sql/audit-dialect.js';
import type { Connections } from '../sql/connections.js';

/** What people have done to jobs by hand, in a database. */
export class SqlAudit extends AuditStore {
  /** @param dialect for what is known of the server now */
  constructor(
    private readonly connections: Connections,
    private readonly dialect: () => AuditDialect,
  ) {
    super();
  }

  begin(action: AuditedAction): Promise<number> {
    return this.connections.run((sql) => this.dialect().begin(sql, action));
  }

  async end(seq: number, outcome: AuditedOutcome): Promise<void> {
    await this.connections.run((sql) => this.dialect().end(sql, seq, outcome));
  }

  read(before: number | null, limit: number): Promise<AuditPage> {
    return this.connections.run((sql) => this.dialect().read(sql, before, limit));
  }

  prune(olderThanMs: number): Promise<number> {
    return this.connections.run((sql) => this.dialect().prune(sql, olderThanMs));
  }
}
