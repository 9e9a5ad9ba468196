import { NotConfirmedError } from './cli-errors.js';
import type { Terminal } from './terminal.js';

/**
 * Asks whether a change is wanted, unless `--yes` says so.
 *
 * @param question what is about to happen: `Delete 12 jobs?`
 * @throws NotConfirmedError where the answer is no, or there is nobody to ask
 */
export async function confirm(terminal: Terminal, question: string, isYes: boolean): Promise<void> {
  if (isYes) return;
  if (!terminal.isInteractive)
    throw new NotConfirmedError(
      `${question} Nothing was changed: there is no terminal to ask on. Give --yes.`,
    );
  const answer = await terminal.ask(`${question} [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new NotConfirmedError('Nothing was changed.');
}
