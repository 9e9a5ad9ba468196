import type { Duplex } from 'node:stream';
import type { QueryRunner } from 'typeorm';
import { endsWithin, withTimeLimit } from '../../async/timers.js';
import { DatabaseTimeoutError } from '../../job/storage-errors.js';

/** Waits for the database's answer. @throws DatabaseTimeoutError if it takes longer than `ms` */
export function answered<T>(work: Promise<T>, ms: number): Promise<T> {
  return withTimeLimit(work, ms, () => new DatabaseTimeoutError(ms));
}

/**
 * Waits for what is sent through `queryRunner`, and breaks its connection off if that takes longer than `ms`.
 * @throws DatabaseTimeoutError
 */
export async function answeredThrough<T>(queryRunner: QueryRunner, work: Promise<T>, ms: number): Promise<T> {
  try {
    return await answered(work, ms);
  } catch (error) {
    if (wasLate(error)) await breakOffThrough(queryRunner);
    throw error;
  }
}

/**
 * Whether an answer was late. The error tells then whose call that was, where it is asked in an async function: it was made
 * by a timer, whose stack says nothing.
 */
export function wasLate(error: unknown): error is DatabaseTimeoutError {
  const isLate = error instanceof DatabaseTimeoutError;
  if (isLate) Error.captureStackTrace(error, wasLate);
  return isLate;
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
