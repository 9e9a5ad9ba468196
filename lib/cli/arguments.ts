import { parseArgs } from 'node:util';
import { likelyName } from '../job/did-you-mean.js';
import { COMMANDS } from './all-commands.js';
import { UsageError } from './cli-errors.js';
import type { Command, CommandOptions } from './command.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import { Values, type ParsedValues } from './values.js';

/** A command line that was read. */
export interface GivenCommand {
  readonly command: Command;
  readonly values: Values;
  readonly operands: readonly string[];
}

/** @throws UsageError */
export function commandNamed(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name);
  if (command !== undefined) return command;
  const names = COMMANDS.map((one) => one.name);
  const meant = likelyName(name, names);
  const question = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  throw new UsageError(
    `There is no command ${JSON.stringify(name)}.${question} The commands are ${names.join(', ')}.`,
  );
}

/** Reads what follows the name of a command. @throws UsageError */
export function readArguments(command: Command, given: readonly string[]): GivenCommand {
  const options = { ...command.options, ...GLOBAL_OPTIONS };
  const { values, positionals: operands } = parsed(options, given);
  const { name, operands: wanted, minOperands, maxOperands } = command;
  const isHelp = values.help === true;
  if (!isHelp && operands.length < minOperands) throw new UsageError(`"${name}" needs ${wanted}.`);
  if (operands.length > maxOperands)
    throw new UsageError(
      maxOperands === 0
        ? `"${name}" takes options alone, and ${JSON.stringify(operands[0])} is none.`
        : `"${name}" takes ${wanted}; ${operands.length} were given.`,
    );
  return { command, values: new Values(values), operands };
}

function parsed(options: CommandOptions, given: readonly string[]) {
  const configs = Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short !== undefined && { short }), ...(multiple === true && { multiple }) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...given], options: configs, allowPositionals: true });
    return { values: values as ParsedValues, positionals };
  } catch (error) {
    throw new UsageError(explained(error as Error, Object.keys(options)), { cause: error });
  }
}

/** The message of `parseArgs`, or a shorter one for an option that there is not. */
function explained({ message }: Error, names: readonly string[]): string {
  const [, unknown] = /^Unknown option '--?([^']+)'/.exec(message) ?? [];
  if (unknown === undefined) return message;
  const meant = likelyName(unknown, names);
  const question = meant === undefined ? '' : ` Did you mean --${meant}?`;
  return `There is no option ${JSON.stringify(unknown)} here.${question}`;
}
