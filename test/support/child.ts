import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { until } from './until.js';

/** How a process came to its end: by itself with a code, or by a signal. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A Node process of a test's own, and what it has printed. */
export class Child {
  output = '';
  readonly ended: Promise<ChildEnd>;
  private readonly child: ChildProcessByStdio<null, Readable, Readable>;
  private isRunning = true;

  constructor(file: string, env: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, [file], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        this.isRunning = false;
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  get running(): boolean {
    return this.isRunning;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits until it has printed this; fails at once where it ends before. */
  async printed(text: string, timeoutMs = 20_000): Promise<void> {
    const what = `printing "${text}"`;
    await until(() => this.output.includes(text) || !this.isRunning, { timeoutMs, what });
    if (!this.output.includes(text)) throw new Error(`The process ended without ${what}:\n${this.output}`);
  }

  /** Ends it, also where it is stopped, and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}
