import { ChoreStore, type ChoreRest, type TakenChore } from '../../queue/chore-store.js';
import type { Connections } from '../sql/connections.js';
import type { ChoresDialect } from '../sql/retention-dialect.js';

/** Which worker does a chore, by the table of chores. */
export class SqlChores extends ChoreStore {
  constructor(
    private readonly connections: Connections,
    private readonly dialect: () => ChoresDialect,
  ) {
    super();
  }

  due(names: readonly string[]): Promise<string[]> {
    return this.connections.run((sql) => this.dialect().due(sql, names));
  }

  take(name: string, holder: string, holdMs: number): Promise<TakenChore | null> {
    return this.connections.run((sql) => this.dialect().take(sql, name, holder, holdMs));
  }

  giveBack(name: string, holder: string, rest: ChoreRest): Promise<void> {
    return this.connections.run((sql) => this.dialect().giveBack(sql, name, holder, rest));
  }
}
