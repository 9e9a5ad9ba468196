import type { DataSource, QueryRunner } from 'typeorm';
import type { ConnectionsSettings } from '../sql/connections.js';
import { PoolConnections } from '../sql/pool-connections.js';
import { sqlOver, type Row, type Sql } from '../sql/sql.js';

/** The part of mysql2's connection that is used. */
interface Connection {
  query(
    text: string,
    values: readonly unknown[],
    callback: (error: Error | null, result: unknown) => void,
  ): void;
}

/** What the driver gives for a statement without rows. */
interface Written {
  readonly affectedRows: number;
}

/** Connections of the DataSource's pool. A statement that writes gives one row, `affected_rows`. */
export function mysqlConnections(dataSource: DataSource, settings: ConnectionsSettings): PoolConnections {
  return new PoolConnections(dataSource, settings, over);
}

function over(queryRunner: QueryRunner): Sql {
  return sqlOver(queryRunner, (connection, text, parameters) =>
    send(connection as Connection, text, parameters),
  );
}

function send(connection: Connection, text: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    connection.query(text, parameters, (error, result) => {
      if (error) reject(error);
      else
        resolve(
          Array.isArray(result) ? (result as Row[]) : [{ affected_rows: (result as Written).affectedRows }],
        );
    });
  });
}
