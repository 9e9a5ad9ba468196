import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { promisify } from 'node:util';
import { until } from '../../support/until.js';

export const run = promisify(execFile);

/** The owner of the servers' processes and files: database servers refuse to run as root. */
const UNPRIVILEGED = 65_534;
export const OWNER = process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};

/** What a busy machine may take to start one beside the others. */
const START_MS = 90_000;

/** The process of a server, which ends with this one. */
export class ServerProcess {
  private child: ChildProcess | undefined;

  constructor(
    private readonly name: string,
    private readonly folder: string,
    readonly logFile: string,
    /** Ends the server and its children at once, in an orderly way where there is one. */
    private readonly endSignal: NodeJS.Signals,
  ) {}

  get pid(): number {
    return this.child!.pid!;
  }

  get isUp(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** What the server has logged. */
  get log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /** Starts it, and waits until `answers` does not reject. */
  async start(command: string, args: readonly string[], answers: () => Promise<unknown>): Promise<void> {
    const log = openSync(this.logFile, 'a');
    this.child = spawn(command, args, { stdio: ['ignore', log, log], cwd: this.folder, ...OWNER });
    const { child } = this;
    const endAtExit = () => this.killAll();
    process.once('exit', endAtExit);
    child.once('exit', () => process.off('exit', endAtExit));
    child.once('error', (error) => console.error(`${this.name}:`, error));
    const isThere = async () => {
      if (!this.isUp) throw new Error(`${this.name} did not start:\n${this.log.slice(-4_000)}`);
      return answers().then(
        () => true,
        () => false,
      );
    };
    await until(isThere, { what: `the start of ${this.name}`, timeoutMs: START_MS });
  }

  /** `kill -9` of the server and of all its child processes. */
  async kill(): Promise<void> {
    if (!this.isUp) return;
    const gone = once(this.child!, 'exit');
    this.killAll();
    await gone;
  }

  /** Stops the server and its child processes without a word to anyone, as when a machine freezes. */
  freeze(): void {
    this.signalAll('SIGSTOP');
  }

  async stop(): Promise<void> {
    if (!this.isUp) return;
    const gone = once(this.child!, 'exit');
    this.child!.kill(this.endSignal);
    const timer = setTimeout(() => this.killAll(), 5_000);
    await gone;
    clearTimeout(timer);
  }

  private killAll(): void {
    this.signalAll('SIGKILL');
  }

  private signalAll(signal: NodeJS.Signals): void {
    const pids = [this.pid, ...childrenOf(this.pid)];
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // it has ended already
      }
    }
  }
}

function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return children.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
