import { createInterface } from 'node:readline/promises';
import process from 'node:process';

/** Where a command writes, and whom it asks. */
export interface Terminal {
  /** Whether a person reads the answer, and can be asked. */
  readonly isInteractive: boolean;
  /** How many characters a line has; undefined where lines may have any length, as in a file. */
  readonly columns: number | undefined;
  /** Writes lines to the standard output. */
  print(text: string): void;
  /** Writes lines to the standard error. */
  complain(text: string): void;
  /** Empties the screen. Does nothing where there is none. */
  clear(): void;
  ask(question: string): Promise<string>;
}

const CLEAR_SCREEN = '\u001b[2J\u001b[H';

/** The terminal, or the files, that the process was started with. */
export const processTerminal: Terminal = {
  get isInteractive() {
    return process.stdin.isTTY && process.stderr.isTTY;
  },
  get columns() {
    return process.stdout.isTTY ? process.stdout.columns : undefined;
  },
  print: (text) => void process.stdout.write(`${text}\n`),
  complain: (text) => void process.stderr.write(`${text}\n`),
  clear: () => {
    if (process.stdout.isTTY) process.stdout.write(CLEAR_SCREEN);
  },
  ask: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  },
};
