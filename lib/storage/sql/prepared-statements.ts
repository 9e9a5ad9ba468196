import { createHash } from 'node:crypto';
import { QueryFailedError, type DataSource, type QueryRunner } from 'typeorm';
import { isIntercepted } from './intercepted-runner.js';
import type { PreparedOn, PreparedOptions, Row } from './sql.js';

/** The part of `pg.Client` that is used. */
interface Client {
  readonly processID?: number;
  query(query: {
    name?: string;
    text: string;
    values?: readonly unknown[];
  }): Promise<{ rows: readonly Row[] }>;
}

const LOST = ['26000', '42P05']; // invalid_sql_statement_name, duplicate_prepared_statement

/** An answer that took longer may have come by a plan that was made when there was less in the table. */
const SLOW_MS = 10;
/** The server plans the first five executions one by one, and then once for all. */
const FIRST_REPLAN = 8;

/**
 * Sends statements that the server has prepared under a name, on PostgreSQL: it need not parse and plan them anew, which
 * is more than half of the work of a small statement.
 *
 * Not where a pooler is in between: in its transaction mode a name is known to another server process than the one that
 * is lent the next time. And not where the DataSource logs its queries, for these go past TypeORM.
 */
export class PreparedStatements {
  /** Undefined until it has been found out. */
  private works: boolean | undefined;
  private readonly names = new Map<string, string>();
  /** How many answers of statements whose plans age have found something, and how many were slow, for each connection. */
  private readonly answers = new WeakMap<Client, { finds: number; slow: number }>();

  constructor(dataSource: DataSource) {
    const { type, logging } = dataSource.options;
    if (type !== 'postgres' || (logging ?? false) !== false) this.works = false;
  }

  /** Through a query runner, whose transaction they join if it has one. */
  on(queryRunner: QueryRunner): PreparedOn {
    return (text, parameters, options) => this.query(queryRunner, text, parameters, options);
  }

  private async query(
    queryRunner: QueryRunner,
    text: string,
    parameters: readonly unknown[],
    { planAges }: PreparedOptions = {},
  ): Promise<readonly Row[] | null> {
    if (this.works === false || isIntercepted(queryRunner)) return null;
    const client = (await queryRunner.connect()) as Client;
    this.works ??= await reachesServer(client);
    if (!this.works) return null;
    try {
      const sentAt = performance.now();
      const { rows } = await client.query({ name: this.nameOf(text), text, values: parameters });
      const answerMs = performance.now() - sentAt;
      if (planAges !== undefined && this.haveAged(client, answerMs, planAges(rows)))
        await discardPlans(client);
      return rows;
    } catch (error) {
      const failure = new QueryFailedError(text, [...parameters], error as Error);
      if (!LOST.includes((error as { code?: string }).code ?? '')) throw failure;
      this.works = false; // somebody has sent DEALLOCATE ALL, perhaps
      if (queryRunner.isTransactionActive) throw failure;
      return null; // refused, so nothing was written
    }
  }

  /**
   * Whether the table may have outgrown the plans of a connection: after 1, 2, 4, 8, … slow answers (not after each, for
   * the database may be far away), and after 8, 16, 32, … that found something. A plan that is made for an almost empty table reads all of it, and a few thousand rows are read too fast
   * to be noticed and too slowly to be borne: in a millisecond, twice what else a claim takes.
   */
  private haveAged(client: Client, answerMs: number, hasFound: boolean): boolean {
    const answers = this.answers.get(client) ?? { finds: 0, slow: 0 };
    this.answers.set(client, answers);
    const isSlow = answerMs > SLOW_MS;
    if (isSlow) answers.slow += 1;
    if (hasFound) answers.finds += 1;
    const haveFilled = hasFound && answers.finds >= FIRST_REPLAN && isPowerOfTwo(answers.finds);
    return haveFilled || (isSlow && isPowerOfTwo(answers.slow));
  }

  private nameOf(text: string): string {
    let name = this.names.get(text);
    if (name === undefined)
      this.names.set(text, (name = `jobs_${createHash('sha1').update(text).digest('hex').slice(0, 20)}`));
    return name;
  }
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

/** Those of this connection are made anew when they are next needed. Whether it works shows when it is next used. */
async function discardPlans(client: Client): Promise<void> {
  await client.query({ text: 'DISCARD PLANS' }).catch(() => undefined);
}

/** Whether the process at the other end is the one that said so when the connection was made, and no pooler is between. */
async function reachesServer(client: Client): Promise<boolean> {
  const { rows } = await client.query({ text: 'SELECT pg_backend_pid() AS pid' });
  return rows[0]!.pid === client.processID;
}
