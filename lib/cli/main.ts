import { describeError } from '../job/describe-error.js';
import { printable } from '../events/log-text.js';
import { InvalidJobError, InvalidOptionError, InvalidScheduleError, JobsError } from '../job/errors.js';
import { SchemaVersionError } from '../job/storage-errors.js';
import { RELEASE } from '../job/release.js';
import { commandNamed, readArguments, type GivenCommand } from './arguments.js';
import { NotConfirmedError, UsageError } from './cli-errors.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { helpOf, overview } from './help.js';
import type { Terminal } from './terminal.js';

/** What a command is started with. */
export interface CliEnvironment {
  readonly terminal: Terminal;
  /** `DATABASE_URL`. */
  readonly databaseUrl: string | undefined;
  /** Aborts when a person ends the command. */
  readonly signal: AbortSignal;
}

/** Runs the command line. @param given what follows the name of the program @returns the exit code; never rejects */
export async function runCli(given: readonly string[], environment: CliEnvironment): Promise<ExitCode> {
  const { terminal } = environment;
  try {
    return await dispatch(given, environment);
  } catch (error) {
    if (environment.signal.aborted) return EXIT.trouble;
    terminal.complain(messageOf(error));
    return codeOf(error);
  }
}

async function dispatch([name, ...rest]: readonly string[], environment: CliEnvironment): Promise<ExitCode> {
  const { terminal } = environment;
  if (name === undefined) throw new UsageError(`No command is given.\n\n${overview()}`);
  if (name === '--version' || name === '-v') terminal.print(RELEASE);
  else if (name === '--help' || name === '-h') terminal.print(overview());
  else if (name === 'help')
    terminal.print(rest[0] === undefined ? overview() : helpOf(commandNamed(rest[0])));
  else return run(readArguments(commandNamed(name), rest), environment);
  return EXIT.ok;
}

/** Connects, runs the command, and disconnects. */
async function run(
  { command, values, operands }: GivenCommand,
  environment: CliEnvironment,
): Promise<ExitCode> {
  const { terminal, databaseUrl, signal } = environment;
  if (values.flag('help')) {
    terminal.print(helpOf(command));
    return EXIT.ok;
  }
  const { connectJobs } = await import('./jobs.js'); // TypeORM takes a while to load, and no help needs it
  const jobs = await connectJobs({
    file: values.text('data-source'),
    url: databaseUrl,
    tablePrefix: values.text('table-prefix'),
    schema: values.text('schema'),
    migrate: command.name === 'migrate' ? 'auto' : 'manual',
  });
  try {
    if (command.worksWithoutTable !== true) await jobs.open();
    return await command.run({ jobs, values, operands, terminal, isJson: values.flag('json'), signal });
  } finally {
    await jobs.close();
  }
}

/** Errors of this package say what to do; of others the first line is enough. */
function messageOf(error: unknown): string {
  if (error instanceof UsageError) return error.message; // the help has several lines
  if (error instanceof SchemaVersionError)
    return `${printable(error.message)} Or run: nestjs-typeorm-jobs migrate`;
  if (error instanceof JobsError) return printable(error.message);
  return printable(describeError(error).split('\n', 1)[0]!);
}

function codeOf(error: unknown): ExitCode {
  if (error instanceof NotConfirmedError) return EXIT.notConfirmed;
  const isOfUsage = [UsageError, InvalidOptionError, InvalidJobError, InvalidScheduleError].some(
    (type) => error instanceof type,
  );
  return isOfUsage ? EXIT.usage : EXIT.trouble;
}
