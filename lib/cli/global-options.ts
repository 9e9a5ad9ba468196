import type { CommandOptions } from './command.js';

/** The options of all commands. */
export const GLOBAL_OPTIONS: CommandOptions = {
  'data-source': {
    ...{ type: 'string', short: 'd', value: '<file>' },
    help: 'A file that exports the TypeORM DataSource. Default: the database of DATABASE_URL.',
  },
  'table-prefix': {
    type: 'string',
    value: '<text>',
    help: 'The tablePrefix of the JobsModule. Default nest_.',
  },
  schema: { type: 'string', value: '<name>', help: 'The PostgreSQL schema of the table.' },
  json: { type: 'boolean', help: 'Answer with JSON.' },
  help: { type: 'boolean', short: 'h', help: 'Show this help.' },
};
