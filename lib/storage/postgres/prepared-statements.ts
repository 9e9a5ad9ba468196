import { createHash } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { sqlOver, type QueryHints, type Row, type Sql } from '../sql/sql.js';

/** The part of `pg.Client` that is used. */
interface Client {
  readonly processID?: number;
  query(query: {
    name?: string;
    text: string;
    values?: readonly unknown[];
  }): Promise<{ rows: readonly Row[] }>;
}

/** How many answers have found something, how many were slow, and how often the statements were prepared anew. */
interface Aging {
  finds: number;
  slow: number;
  generation: number;
}

/**
 * What a server or a pooler says that does not know the name: invalid_sql_statement_name, duplicate_prepared_statement;
 * and pgpool, which then ends the connection, by an internal_error.
 */
const LOST = ['26000', '42P05', 'XX000'];
const ENDS_CONNECTION = 'XX000';

/** An answer that took longer may have come by a plan that was made when there was less in the table. */
const SLOW_MS = 10;
/** The server plans each of the first five executions, and then once for all later ones. */
const FIRST_REPLAN = 8;

/**
 * Sends frequent statements prepared under a name. The server then need not parse and plan them each time, which is more
 * than half of the work of a small statement.
 *
 * Nothing is prepared behind a pooler: in transaction mode the next statement may reach another server process, which does
 * not know the name. Nor where a statement has turned out to be unknown once.
 */
export class PreparedStatements {
  /** Undefined until it has been found out. */
  private works: boolean | undefined;

  private readonly names = new Map<string, string>();
  /** Of statements whose plans age, for each connection. */
  private readonly aging = new WeakMap<Client, Aging>();

  /** @param areWanted whether to prepare anything */
  constructor(areWanted = true) {
    if (!areWanted) this.works = false;
  }

  /** Sends statements over the connection of a query runner. They join its transaction if it has one. */
  over(queryRunner: QueryRunner): Sql {
    return sqlOver(queryRunner, async (connection, text, parameters, hints) => {
      const client = connection as Client;
      const isJoined = queryRunner.isTransactionActive;
      const rows = hints.isFrequent ? await this.query(client, text, parameters, hints, isJoined) : null;
      return rows ?? (await client.query({ text, values: parameters })).rows;
    });
  }

  /** @returns null if the statement has to be sent as it is */
  private async query(
    client: Client,
    text: string,
    parameters: readonly unknown[],
    { hasFound }: QueryHints,
    isJoined: boolean,
  ): Promise<readonly Row[] | null> {
    if (this.works === false) return null;
    this.works ??= await reachesServer(client);
    if (!this.works) return null;
    try {
      if (hasFound !== undefined) return await this.queryAging(client, text, parameters, hasFound);
      return (await client.query({ name: this.nameOf(text), text, values: parameters })).rows;
    } catch (error) {
      const { code = '' } = error as { code?: string };
      if (!LOST.includes(code)) throw error;
      this.works = false; // the application may have sent DEALLOCATE ALL
      if (isJoined || code === ENDS_CONNECTION) throw error;
      return null; // refused, so nothing was written
    }
  }

  /**
   * Prepares a statement anew, under another name, when its plan may have aged. DISCARD PLANS would do with less, but
   * pgpool then forgets what was prepared, and ends the connection at the next use.
   */
  private async queryAging(
    client: Client,
    text: string,
    parameters: readonly unknown[],
    hasFound: (rows: readonly Row[]) => boolean,
  ): Promise<readonly Row[]> {
    const aging = this.aging.get(client) ?? { finds: 0, slow: 0, generation: 0 };
    this.aging.set(client, aging);
    const name = `${this.nameOf(text)}_${aging.generation}`;
    const sentAt = performance.now();
    const { rows } = await client.query({ name, text, values: parameters });
    if (haveAged(aging, performance.now() - sentAt, hasFound(rows))) {
      aging.generation += 1;
      // If this fails, the next statement shows whether the connection still works.
      await client.query({ text: `DEALLOCATE ${name}` }).catch(() => undefined);
    }
    return rows;
  }

  private nameOf(text: string): string {
    let name = this.names.get(text);
    if (name === undefined)
      this.names.set(text, (name = `jobs_${createHash('sha1').update(text).digest('hex').slice(0, 20)}`));
    return name;
  }
}

/**
 * Whether the table may have outgrown the plans of a connection. It is asked after 1, 2, 4, 8, … slow answers (not after
 * each, because the database may be far away), and after 8, 16, 32, … answers that found something. A plan that is made for
 * an almost empty table reads all of it. A few thousand rows are read too fast to be noticed, and still take a millisecond:
 * twice what a claim takes otherwise.
 */
function haveAged(aging: Aging, answerMs: number, hasFound: boolean): boolean {
  const isSlow = answerMs > SLOW_MS;
  if (isSlow) aging.slow += 1;
  if (hasFound) aging.finds += 1;
  const haveFilled = hasFound && aging.finds >= FIRST_REPLAN && isPowerOfTwo(aging.finds);
  return haveFilled || (isSlow && isPowerOfTwo(aging.slow));
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

/** Whether the server process that answers is the one that greeted the connection, with no pooler in between. */
async function reachesServer(client: Client): Promise<boolean> {
  const { rows } = await client.query({ text: 'SELECT pg_backend_pid() AS pid' });
  return rows[0]!.pid === client.processID;
}
