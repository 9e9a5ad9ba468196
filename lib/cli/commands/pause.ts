import { printable } from '../../events/log-text.js';
import { ALL_KINDS } from '../../queue/kind-store.js';
import { UsageError } from '../cli-errors.js';
import type { Command } from '../command.js';
import { confirm } from '../confirm.js';
import { EXIT } from '../exit-codes.js';
import { instantText, jsonText } from '../output/format.js';
import type { Values } from '../values.js';

const KIND = { operands: '<kind>', minOperands: 1, maxOperands: 1 } as const;

export const pause: Command = {
  ...KIND,
  name: 'pause',
  summary: "Keep all workers from starting jobs of a kind; '*' pauses all kinds.",
  options: {
    reason: { type: 'string', value: '<text>', help: 'For those who look at it later.' },
    until: {
      type: 'string',
      value: '<time>',
      help: 'Ends by itself at this time, with its zone: 2026-11-27T09:00:00Z.',
    },
    for: { type: 'string', value: '<time>', help: 'Ends by itself after this time: 30m.' },
    'stop-running': {
      type: 'boolean',
      help: 'Also give back the jobs that run. Asks, unless --yes is given.',
    },
    wait: { type: 'boolean', help: 'Wait until every live worker obeys.' },
    yes: { type: 'boolean', short: 'y', help: 'Do not ask.' },
  },
  async run({ jobs: { kinds }, operands, values, terminal, isJson, signal }) {
    const kind = operands[0]!;
    const until = endOf(values);
    const stopRunning = values.flag('stop-running');
    const name = nameOf(kind);
    const isSerious = stopRunning || kind === ALL_KINDS;
    const running = stopRunning ? ', and stop the jobs that run' : '';
    if (isSerious) await confirm(terminal, `Pause ${name}${running}?`, values.flag('yes'));
    const wait = values.flag('wait');
    await kinds.pause(kind, {
      ...{ until, reason: values.text('reason'), stopRunning },
      ...(wait && { wait, signal }),
    });
    if (isJson) terminal.print(jsonText({ kind, paused: true, until: until ?? null }));
    else terminal.print(`Paused ${name}${until === undefined ? '' : ` until ${instantText(until)!}`}.`);
    return EXIT.ok;
  },
};

export const resume: Command = {
  ...KIND,
  name: 'resume',
  summary: "End the pause of a kind; '*' ends the one of all kinds.",
  options: {},
  async run({ jobs: { kinds }, operands, terminal, isJson }) {
    const kind = operands[0]!;
    const wasPaused = await kinds.resume(kind);
    if (isJson) terminal.print(jsonText({ kind, wasPaused }));
    else terminal.print(wasPaused ? `Resumed ${nameOf(kind)}.` : `There was no pause of ${nameOf(kind)}.`);
    return EXIT.ok;
  },
};

function nameOf(kind: string): string {
  return kind === ALL_KINDS ? 'all kinds' : `the kind ${printable(kind)}`;
}

/** @throws UsageError */
function endOf(values: Values): Date | undefined {
  const [until, forMs] = [values.instant('until'), values.duration('for')];
  if (until !== undefined && forMs !== undefined)
    throw new UsageError('--until and --for are given together; give one of them.');
  return forMs === undefined ? until : new Date(Date.now() + forMs);
}
