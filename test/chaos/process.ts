import { openSync, writeSync } from 'node:fs';
import process from 'node:process';
import type { DataSourceOptions } from 'typeorm';

/** What a process of the suite is told, in the environment variable CHAOS. */
export interface ProcessSettings {
  readonly name: string;
  readonly generation: number;
  readonly seed: string;
  readonly database: DataSourceOptions;
  /** Where it writes what it does, line by line. */
  readonly file: string;
  /** How far its clock is wrong. */
  readonly clockOffsetMs: number;
  readonly leaseMs: number;
  readonly maxCrashes: number;
  /** Of a worker: the kinds that it serves; undefined for all. */
  readonly kinds?: readonly string[];
  readonly databaseTimeoutMs: number;
  /** Of an enqueuer: how many jobs, and how many in a second. */
  readonly quota: number;
  /** How many of them its earlier generations have sent. */
  readonly sent: number;
  readonly perSecond: number;
}

export const settings = JSON.parse(process.env.CHAOS ?? '{}') as ProcessSettings;

/** The real time, whatever `Date` says. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Makes `Date` wrong in this process, as a clock that was set wrong would. */
export function setClockWrong(offsetMs: number): void {
  if (offsetMs === 0) return;
  const Real = Date;
  globalThis.Date = new Proxy(Real, {
    construct: (_target, args: [] | [number], newTarget) =>
      Reflect.construct(Real, args.length === 0 ? [Real.now() + offsetMs] : args, newTarget) as object,
    apply: () => new Real(Real.now() + offsetMs).toString(),
    get: (target, name, receiver) =>
      name === 'now' ? () => Real.now() + offsetMs : (Reflect.get(target, name, receiver) as unknown),
  });
}

const file = settings.file ? openSync(settings.file, 'a') : 2;

/** Appends lines, at once: what is written survives the death of this process. */
export function record(...lines: readonly object[]): void {
  writeSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** Calls `start` until it works: a database that is being restarted is no reason to give up. */
export async function startUntilUp<T>(start: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      console.error('Could not start, trying again:', error);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

/** A text in SQL. Only for the texts of this suite: a server that reads backslashes otherwise would be another history. */
export function literal(text: string): string {
  const escaped = settings.database.type === 'postgres' ? text : text.replaceAll('\\', '\\\\');
  return `'${escaped.replaceAll("'", "''")}'`;
}

/** Whether the database refused a row because it is there already. */
export function isDuplicate(error: unknown): boolean {
  const { code, errno } = (error as { driverError?: { code?: string; errno?: number } }).driverError ?? {};
  return code === '23505' || errno === 1062;
}
