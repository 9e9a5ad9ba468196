import { describe, expect, it } from '@jest/globals';
import type { KindStats } from '../../../lib/client/kind-stats.js';
import { KindGauges } from '../../../lib/metrics/kind-gauges.js';

const MAIL = {
  kind: 'mail',
  ready: { value: 1000, capped: true },
  oldestReadyMs: 1500,
  running: 3,
  workers: 2,
} as KindStats;

const READINGS = [
  { gauge: 'ready', value: 1000, labels: { kind: 'mail' } },
  { gauge: 'oldestReady', value: 1.5, labels: { kind: 'mail' } },
  { gauge: 'running', value: 3, labels: { kind: 'mail' } },
  { gauge: 'workers', value: 2, labels: { kind: 'mail' } },
];

describe('The gauges of kinds', () => {
  it('ask once for all who collect at the same time, and for a while', async () => {
    let asked = 0;
    const list = () => {
      asked += 1;
      return Promise.resolve([MAIL]);
    };
    const gauges = new KindGauges({ list }, 60_000);
    expect(asked).toBe(0);
    const readings = await Promise.all([gauges.read(), gauges.read(), gauges.read()]);
    expect(readings).toEqual([READINGS, READINGS, READINGS]);
    await gauges.read();
    expect(asked).toBe(1);
  });

  it('ask each time where nothing is to be kept', async () => {
    let asked = 0;
    const list = () => {
      asked += 1;
      return Promise.resolve([]);
    };
    const gauges = new KindGauges({ list }, 0);
    await gauges.read();
    await gauges.read();
    expect(asked).toBe(2);
  });

  it('are missing while the database does not answer, and are there at the next collection', async () => {
    const answers = [Promise.reject(new Error('no database')), Promise.resolve([MAIL])];
    const gauges = new KindGauges({ list: () => answers.shift()! }, 60_000);
    expect(await gauges.read()).toEqual([]);
    expect(await gauges.read()).toEqual(READINGS);
  });

  it('are 0 for the oldest job where none is ready', async () => {
    const gauges = new KindGauges({ list: () => Promise.resolve([{ ...MAIL, oldestReadyMs: null }]) }, 0);
    expect((await gauges.read())[1]).toEqual({ gauge: 'oldestReady', value: 0, labels: { kind: 'mail' } });
  });
});
