import { COMMANDS } from './all-commands.js';
import type { Command, CommandOptions } from './command.js';
import { GLOBAL_OPTIONS } from './global-options.js';

const NAME = 'nestjs-typeorm-jobs';

/** The help of the whole command line. */
export function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const commands = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    `Usage: ${NAME} <command> [options]`,
    ['Commands:', ...commands].join('\n'),
    section('Options of all commands:', GLOBAL_OPTIONS),
    'Exit codes: 0 done, 1 failed or trouble found, 2 wrong usage, 3 not confirmed.',
    `"${NAME} <command> --help" tells more of a command.`,
  ].join('\n\n');
}

/** The help of one command. */
export function helpOf({ name, operands, summary, options, actions = {} }: Command): string {
  const usage = ['Usage:', NAME, name, operands, '[options]'].filter((part) => part !== '').join(' ');
  const own = Object.keys(options).length === 0 ? [] : [section('Options:', options)];
  return [
    usage,
    summary,
    ...actionsOf(actions),
    ...own,
    section('Options of all commands:', GLOBAL_OPTIONS),
  ].join('\n\n');
}

function actionsOf(actions: NonNullable<Command['actions']>): string[] {
  const names = Object.keys(actions);
  if (names.length === 0) return [];
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map((name) => `  ${name.padEnd(width)}  ${actions[name]!.summary}`);
  return [['Actions:', ...lines].join('\n')];
}

function section(title: string, options: CommandOptions): string {
  const lines = Object.entries(options).map(([name, { short, value, help }]) => {
    const shown = [`${short === undefined ? '    ' : `-${short}, `}--${name}`, value ?? '']
      .join(' ')
      .trimEnd();
    return [shown, help] as const;
  });
  const width = Math.max(...lines.map(([shown]) => shown.length));
  return [title, ...lines.map(([shown, help]) => `  ${shown.padEnd(width)}  ${help}`)].join('\n');
}
