import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { DatabaseErrors } from '../../../lib/storage/sql/database-errors.js';
import { PoolConnections } from '../../../lib/storage/sql/pool-connections.js';
import type { Sql } from '../../../lib/storage/sql/sql.js';
import { turn } from '../fakes.js';

const CONFLICT = new Error('a conflict');
const WRONG_SERVER = new Error('the wrong server');
const REFUSED = new Error('refused');

const errors: DatabaseErrors = {
  wasRefused: () => true,
  refusesContent: () => false,
  wantsRetry: (error) => error === CONFLICT,
  isWrongServer: (error) => error === WRONG_SERVER,
  needsMending: () => false,
};

/** A pool whose connections fail with these errors, one after the other, and then work. */
function poolFailing(...failures: readonly Error[]) {
  const left = [...failures];
  const seen = { broken: 0, released: 0, told: [] as unknown[] };
  const socket = () =>
    Object.assign(new EventEmitter(), {
      destroy(this: EventEmitter) {
        seen.broken += 1;
        this.emit('close');
      },
    });
  const createQueryRunner = () => {
    const connection = { stream: socket() };
    return {
      connect: () => Promise.resolve(connection),
      release: () => Promise.resolve(void (seen.released += 1)),
    };
  };
  const dataSource = { options: {}, createQueryRunner } as unknown as DataSource;
  const settings = {
    answerMs: 1_000,
    patienceMs: 1_000,
    errors,
    preparedStatements: true,
    onFailure: (error: unknown) => void seen.told.push(error),
  };
  const connections = new PoolConnections(dataSource, settings, () => ({}) as Sql);
  const run = () =>
    connections.run(() => (left.length === 0 ? Promise.resolve('written') : Promise.reject(left.shift()!)));
  return { run, seen, connections };
}

describe('PoolConnections', () => {
  it('ask another server where one is the wrong one, and give its connection up', async () => {
    const { run, seen } = poolFailing(WRONG_SERVER, WRONG_SERVER);
    expect(await run()).toBe('written');
    expect(seen).toEqual({ broken: 2, released: 3, told: [WRONG_SERVER, WRONG_SERVER] });
  });

  it('try again what was undone, and on another connection if that goes on', async () => {
    const { run, seen } = poolFailing(CONFLICT, CONFLICT, CONFLICT, CONFLICT);
    expect(await run()).toBe('written');
    expect(seen).toMatchObject({ broken: 2, released: 5 });
  });

  it('pass on what was refused, and keep the connection', async () => {
    const { run, seen } = poolFailing(REFUSED);
    await expect(run()).rejects.toBe(REFUSED);
    expect(seen).toEqual({ broken: 0, released: 1, told: [REFUSED] });
  });

  it('reject when the answer is not wanted any more, and give the connection up', async () => {
    const { connections, seen } = poolFailing();
    const giveUp = new AbortController();
    const { signal } = giveUp;
    const running = connections.run(() => new Promise(() => undefined), { answerMs: Infinity, signal });
    await turn();
    giveUp.abort(REFUSED);
    await expect(running).rejects.toBe(REFUSED);
    expect(seen).toMatchObject({ broken: 1, released: 1 });
  });

  it('pass on what is undone without end', async () => {
    const { run } = poolFailing(...Array.from({ length: 20 }, () => CONFLICT));
    await expect(run()).rejects.toBe(CONFLICT);
  });
});
