import type { Duplex } from 'node:stream';
import type { QueryRunner } from 'typeorm';
import { answeredWithin, endsWithin } from '../../async/timers.js';
import { DatabaseTimeoutError } from '../../job/storage-errors.js';

/**
 * Waits for the database's answer.
 * @throws DatabaseTimeoutError if it takes longer than `ms`. It is made in a timer, so its stack is replaced by one that
 * shows whose call was not answered.
 */
export async function answered<T>(work: Promise<T>, ms: number): Promise<T> {
  try {
    return await answeredWithin(work, ms, () => new DatabaseTimeoutError(ms));
  } catch (error) {
    if (error instanceof DatabaseTimeoutError) Error.captureStackTrace(error, answered);
    throw error;
  }
}

/**
 * Waits for what is sent through `queryRunner`, and breaks its connection off if that takes longer than `ms`.
 * @throws DatabaseTimeoutError
 */
export async function answeredThrough<T>(queryRunner: QueryRunner, work: Promise<T>, ms: number): Promise<T> {
  try {
    return await answered(work, ms);
  } catch (error) {
    if (error instanceof DatabaseTimeoutError) await breakOffThrough(queryRunner);
    throw error;
  }
}

/** Breaks off the connection that a query runner has. One that still waits for the pool has none. */
export async function breakOffThrough(queryRunner: QueryRunner): Promise<void> {
  const connected = queryRunner.connect();
  if (await endsWithin(connected, 0)) await breakOff(await connected);
}

/**
 * Ends the socket of a driver's connection, and waits until the driver knows, so that its pool does not lend the
 * connection again. A driver's own way would first wait for the answer.
 */
export async function breakOff(connection: unknown): Promise<void> {
  const { connection: inner, stream } = connection as { connection?: { stream?: Duplex }; stream?: Duplex };
  const socket = inner?.stream ?? stream;
  if (socket === undefined || socket.closed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy(new Error('The connection is given up.'));
  await closed;
}
