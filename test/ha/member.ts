import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { ProcessSettings } from './process.js';

const STOP_MS = 12_000;

export type Role = 'worker' | 'enqueuer';

/** A process under test: a Nest application in a process of its own. It is not started again when it ends. */
export class Member {
  isReady = false;
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;
  private isStopping = false;

  constructor(
    readonly role: Role,
    private readonly folder: string,
    private readonly settings: ProcessSettings,
  ) {
    const output = openSync(this.logFile, 'a');
    this.child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, `${role}-process.js`)], {
      env: { ...process.env, HA: JSON.stringify(settings), NO_COLOR: '1' },
      stdio: ['ignore', output, output, 'ipc'],
    });
    this.ended = once(this.child, 'exit');
    this.child.on('error', (error) => console.error(`${settings.name}:`, error));
    this.child.on('message', () => (this.isReady = true));
    const killAtExit = () => this.child.kill('SIGKILL');
    process.once('exit', killAtExit);
    this.child.once('exit', () => process.off('exit', killAtExit));
  }

  get name(): string {
    return this.settings.name;
  }

  get isUp(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** What it has logged: warnings and errors, and what Node writes when it dies. */
  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** What it has written down so far. */
  records<T>(): T[] {
    if (!existsSync(this.settings.file)) return [];
    const lines = readFileSync(this.settings.file, 'utf8').split('\n');
    return lines.slice(0, -1).map((line) => JSON.parse(line) as T); // the last one is empty, or still being written
  }

  /** Freezes the process, or lets it go on. */
  send(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  /** Asks the process to end, and kills it if it does not. */
  async stop(): Promise<void> {
    if (this.isStopping) return;
    this.isStopping = true;
    if (!this.isUp) return;
    this.send('SIGCONT');
    this.child.send('stop');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(timer);
  }

  private get logFile(): string {
    return join(this.folder, `${this.settings.name}.log`);
  }
}
