import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { jsonText } from '../output/format.js';
import { DEFAULT_BOUNDS } from '../doctor/bounds.js';

export const migrate: Command = {
  name: 'migrate',
  summary: 'Make the tables of the jobs, or bring them to the version that this release needs.',
  operands: '',
  minOperands: 0,
  maxOperands: 0,
  options: {},
  worksWithoutTable: true,
  async run({ jobs, terminal, isJson }) {
    const steps: number[] = [];
    jobs.events.on('schemaUpgraded', ({ version }) => steps.push(version));
    jobs.events.on('schemaLockAwaited', ({ table }) =>
      terminal.complain(`Another process migrates the table ${table}; waiting for it.`),
    );
    await jobs.open();
    const { table, schemaVersion: version } = await jobs.queue.inspector.inspect(DEFAULT_BOUNDS);
    if (isJson) terminal.print(jsonText({ table, version, steps }));
    else if (steps.length === 0)
      terminal.print(`The table ${table} is at version ${String(version)} already.`);
    else terminal.print(`The table ${table} is at version ${String(version)} now.`);
    return EXIT.ok;
  },
};
