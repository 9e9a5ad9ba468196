import type { ExitCode } from './exit-codes.js';
import type { Jobs } from './jobs.js';
import type { Terminal } from './terminal.js';
import type { Values } from './values.js';

/** An option of a command. */
export interface CommandOption {
  /** A flag has no value. */
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  /** How the help calls its value: `<kind>`. */
  readonly value?: string;
  readonly help: string;
}

export type CommandOptions = Readonly<Record<string, CommandOption>>;

/** A command that was given, with what it works on. */
export interface CommandCall {
  readonly jobs: Jobs;
  readonly values: Values;
  /** What was given beside options. */
  readonly operands: readonly string[];
  readonly terminal: Terminal;
  /** Whether the answer is to be JSON. */
  readonly isJson: boolean;
  /** Aborts when a person ends the command. */
  readonly signal: AbortSignal;
}

/** One command of the command line. */
export interface Command {
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** How the help calls what it takes beside options: `<id>`. */
  readonly operands: string;
  readonly minOperands: number;
  readonly maxOperands: number;
  readonly options: CommandOptions;
  /** What it can do, where that is several things, by what is given first. */
  readonly actions?: Readonly<Record<string, { readonly summary: string }>>;
  /** Works without a table, or with one that something is wrong with. */
  readonly worksWithoutTable?: boolean;
  run(call: CommandCall): Promise<ExitCode>;
}
