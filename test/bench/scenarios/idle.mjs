import { setTimeout as sleep } from 'node:timers/promises';
import { StatementCounter } from '../statement-counter.mjs';
import { empty } from './drain.mjs';

/** How many statements a second an idle worker sends. */
export const idle = {
  name: 'idle',
  contenders: ['ours'],
  async run(bench, contender) {
    await empty(bench, contender);
    const counter = await StatementCounter.start(bench.urls.postgresUrl);
    const actor = await bench.actor(contender, {
      handler: 'nothing',
      settings: { postgresUrl: counter.url },
    });
    await actor.call('work');
    await sleep(2500); // until it listens
    const before = counter.count;
    await sleep(bench.sizes.idleMs);
    bench.records.add('idle', contender, ((counter.count - before) * 1000) / bench.sizes.idleMs);
    await actor.close();
    counter.stop();
  },
};
