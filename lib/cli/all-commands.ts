import type { Command } from './command.js';
import { cancel, deleteJobs, retry } from './commands/change.js';
import { doctor } from './commands/doctor.js';
import { explain } from './commands/explain.js';
import { list } from './commands/list.js';
import { migrate } from './commands/migrate.js';
import { pause, resume } from './commands/pause.js';
import { schedules } from './commands/schedules.js';
import { show } from './commands/show.js';
import { stats } from './commands/stats.js';
import { workers } from './commands/workers.js';

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  ...[doctor, migrate],
  ...[list, show, explain],
  ...[retry, cancel, deleteJobs],
  ...[pause, resume],
  ...[stats, workers, schedules],
];
