import type { DataSource } from 'typeorm';

/** The DataSource of a manager or query runner: `dataSource` in TypeORM 1, `connection` in 0.3. */
export function dataSourceOf(holder: { readonly dataSource: DataSource }): DataSource {
  const { dataSource, connection } = holder as { dataSource?: DataSource; connection?: DataSource };
  return (dataSource ?? connection)!;
}
