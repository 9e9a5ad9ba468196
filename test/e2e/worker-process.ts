import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import type { WorkerOptions } from '../../lib/index.js';
import { until } from '../support/until.js';

const FIXTURE = join(import.meta.dirname, 'fixtures/worker.mjs');
const BUILT = join(import.meta.dirname, '../../dist/index.js');

/** Of worker processes that are told nothing else: long enough that a busy machine takes no lease from one that is alive. */
export const LEASE_MS = 2_000;

/** What fixtures/worker.mjs is told. */
export interface WorkerProcessSettings {
  readonly name: string;
  readonly database: DataSourceOptions;
  /** How long a job of the kinds `work` and `transactional` takes. Default 0. */
  readonly workMs?: number;
  readonly worker?: WorkerOptions;
  /** The memory that the process may take for objects. */
  readonly heapMb?: number;
  /** The file to run instead of fixtures/worker.mjs. */
  readonly fixture?: string;
}

/** Twenty processes load the package at the same time, on a machine that may be busy. */
const START_MS = 180_000;

/** A process of its own that runs fixtures/worker.mjs. */
export class WorkerProcess {
  /** What the process has written. */
  output = '';
  private isReady = false;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    const write = (text: string) => (this.output += text);
    child.stdout!.setEncoding('utf8').on('data', write);
    child.stderr!.setEncoding('utf8').on('data', write);
    child.once('message', () => (this.isReady = true));
  }

  static spawn(all: WorkerProcessSettings): WorkerProcess {
    const { worker, workMs = 0, heapMb = 128, fixture = FIXTURE, ...settings } = all;
    if (!existsSync(BUILT)) {
      throw new Error('These tests run the built package, and there is none: run `npm run build:lib` first.');
    }
    const defaults: WorkerOptions = { leaseMs: LEASE_MS, pollIntervalMs: 100 };
    const told = { ...settings, workMs, worker: { ...defaults, ...worker } };
    const child = spawn(process.execPath, ['--no-warnings', `--max-old-space-size=${heapMb}`, fixture], {
      env: { ...process.env, WORKER: JSON.stringify(told), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    return new WorkerProcess(settings.name, child);
  }

  /** Waits until the application is up. */
  async ready(): Promise<this> {
    await this.until(() => this.isReady || this.hasExited, 'up', START_MS);
    if (!this.isReady) throw new Error(`Worker ${this.name} did not start:\n${this.output}`);
    return this;
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  send(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Asks for `app.close()`. */
  close(): void {
    this.child.send('close');
  }

  /** Waits for the end of the process. @returns its exit code, or the signal that ended it */
  async exited(): Promise<number | NodeJS.Signals> {
    await this.until(() => this.hasExited, 'ended');
    return this.child.exitCode ?? this.child.signalCode!;
  }

  async until(condition: () => boolean, what: string, timeoutMs?: number): Promise<void> {
    await until(condition, { timeoutMs, what: `"Worker ${this.name} is ${what}"` }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}; it wrote:\n${this.output}`);
      },
    );
  }

  /** Ends it, whatever its state: SIGKILL works on a stopped process, too. */
  async kill(): Promise<void> {
    if (this.hasExited) return;
    this.send('SIGKILL');
    await this.exited();
  }
}
