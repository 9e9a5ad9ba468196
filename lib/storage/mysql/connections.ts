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

/** Connections of the DataSource's pool. */
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
      else resolve(Array.isArray(result) ? (result as Row[]) : []);
    });
  });
}
