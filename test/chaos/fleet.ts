import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessSettings } from './process.js';
import type { EnqueuerRecord, ProcessRecord } from './records.js';

const RESPAWN_MS = 150;
const STOP_MS = 15_000;

export type MemberSettings = Omit<ProcessSettings, 'generation' | 'file' | 'sent'> & {
  readonly role: 'worker' | 'enqueuer';
  /** The folder for its files. */
  readonly folder: string;
  /** The folder of the compiled suite and of the package under test. */
  readonly root: string;
};

/** A process of the suite, with a supervisor that restarts it whenever it ends. */
export class Member {
  readonly records: ProcessRecord[] = [];
  /** Whether its application has been up. */
  wasReady = false;
  /** Whether an enqueuer has sent its quota. */
  isDone = false;
  private child!: ChildProcess;
  private generation = 0;
  /** How many jobs all earlier generations have sent. */
  private sent = 0;
  private wanted = false;
  private stopping = false;
  private ended: Promise<void> = Promise.resolve();

  private constructor(private readonly settings: MemberSettings) {}

  static start(settings: MemberSettings): Member {
    const member = new Member(settings);
    member.ended = member.keepRunning();
    member.ended.catch(() => undefined); // stop() reports the error
    return member;
  }

  get name(): string {
    return this.settings.name;
  }

  get role(): MemberSettings['role'] {
    return this.settings.role;
  }

  /** The files of all its generations. */
  get files(): string[] {
    const numbers = Array.from({ length: this.generation }, (_, index) => this.fileOf(index));
    return numbers.filter((file) => existsSync(file));
  }

  get isUp(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Kills the process. The supervisor restarts it. */
  kill(): void {
    this.wanted = true;
    this.child.kill('SIGKILL');
  }

  send(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  /**
   * Asks the process to end, and kills it if it does not.
   * @returns whether it ended by itself
   */
  async stop(): Promise<boolean> {
    this.stopping = true;
    this.wanted = true;
    const { child } = this;
    if (child.connected) child.send('stop');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(timer);
    return child.exitCode === 0;
  }

  private async keepRunning(): Promise<void> {
    while (!this.stopping) {
      const started = this.spawn();
      const [code, signal] = (await once(this.child, 'exit')) as [number | null, string | null];
      const wanted = this.wanted;
      this.wanted = false;
      this.records[this.records.indexOf(started)] = { ...started, exitedAt: now(), code, signal, wanted };
      await sleep(RESPAWN_MS);
    }
  }

  private spawn(): ProcessRecord {
    const { role, folder, root, ...settings } = this.settings;
    this.sent += this.countSent();
    const own: ProcessSettings = {
      ...settings,
      sent: this.sent,
      generation: this.generation,
      file: this.fileOf(this.generation),
    };
    const output = openSync(join(folder, `${settings.name}.out`), 'a');
    this.isDone = false;
    this.child = spawn(
      process.execPath,
      ['--no-warnings', join(root, 'test/chaos/dist/chaos', `${role}-process.js`)],
      {
        env: { ...process.env, CHAOS: JSON.stringify(own), NO_COLOR: '1' },
        stdio: ['ignore', output, output, 'ipc'],
      },
    );
    const child = this.child;
    const killAtExit = () => child.kill('SIGKILL');
    process.once('exit', killAtExit);
    child.once('exit', () => process.off('exit', killAtExit));
    this.child.on('error', (error) => console.error(`${settings.name}:`, error));
    this.child.on('message', (message) => {
      if (message === 'ready') this.wasReady = true;
      if (message === 'done') this.isDone = true;
    });
    this.generation += 1;
    const started: ProcessRecord = { name: settings.name, pid: this.child.pid!, spawnedAt: now() };
    this.records.push(started);
    return started;
  }

  private fileOf(generation: number): string {
    return join(this.settings.folder, `${this.settings.name}.${generation}.jsonl`);
  }

  /** How many jobs the last generation has sent. */
  private countSent(): number {
    const last = this.files.at(-1);
    if (this.role === 'worker' || last === undefined) return 0;
    return readLines<EnqueuerRecord>(last)
      .filter((record) => record.type === 'send')
      .filter(({ again }) => again === undefined)
      .reduce((sum, { jobs }) => sum + jobs.length, 0);
  }
}

/** Reads the records in a file. The last line may be cut off, because the process was killed. */
export function readLines<T>(file: string): T[] {
  const records: T[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    try {
      records.push(JSON.parse(line) as T);
    } catch {
      // cut off
    }
  }
  return records;
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
