import { printable } from '../../events/log-text.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { jsonText } from '../output/format.js';

export const explain: Command = {
  name: 'explain',
  summary: 'Tell why a job is where it is: why it does not start, who runs it, how it ended.',
  operands: '<id>',
  minOperands: 1,
  maxOperands: 1,
  options: {},
  async run({ jobs: { client }, operands, terminal, isJson }) {
    const id = operands[0]!;
    const { state, reasons } = await client.explain(id);
    if (isJson) terminal.print(jsonText({ id, state, reasons }));
    else {
      terminal.print(`Job ${printable(id)}${state === null ? '' : ` is ${state}`}.`);
      for (const { code, text } of reasons) terminal.print(`- ${printable(text)} (${code})`);
    }
    return state === null ? EXIT.trouble : EXIT.ok;
  },
};
