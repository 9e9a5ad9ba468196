import type { QueryRunner } from 'typeorm';
import type { Connections, RunOptions } from './connections.js';
import type { Sql } from './sql.js';

/** Connections through which nothing is sent while there is a reason against it. */
export class GatedConnections implements Connections {
  /** @param refusal why nothing may be sent now; undefined where it may */
  constructor(
    private readonly connections: Connections,
    private readonly refusal: () => Error | undefined,
  ) {}

  run<T>(work: (sql: Sql) => Promise<T>, options?: RunOptions): Promise<T> {
    const refusal = this.refusal();
    return refusal === undefined ? this.connections.run(work, options) : Promise.reject(refusal);
  }

  /** @throws the refusal */
  over(queryRunner: QueryRunner): Sql {
    const refusal = this.refusal();
    if (refusal !== undefined) throw refusal;
    return this.connections.over(queryRunner);
  }

  close(): Promise<void> {
    return this.connections.close();
  }
}
