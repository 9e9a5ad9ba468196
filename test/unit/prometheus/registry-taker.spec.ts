import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { RegistryTaker } from '../../../lib/prometheus/registry-taker.js';

describe('RegistryTaker', () => {
  it('gives on what was counted, once, when the registry collects and when it ends', async () => {
    const register = new Registry();
    const [one, other] = [new RegistryTaker(register, 'one'), new RegistryTaker(register, 'other')];
    const [endOne, endOther] = [one.observe([]), other.observe([])];
    const [ofOne, ofOther] = [one, other].map((taker) => taker.counter('consumed', { kind: 'mail' }));
    const consumed = async (queue: string) =>
      new RegExp(`^messaging_client_consumed_messages_total{queue="${queue}",kind="mail"} (.*)$`, 'm').exec(
        await register.metrics(),
      )?.[1];
    ofOne!(2);
    ofOther!(3);
    expect([await consumed('one'), await consumed('other')]).toEqual(['2', '3']);
    ofOne!(1);
    endOne();
    expect([await consumed('one'), await consumed('other')]).toEqual(['3', '3']);
    endOther();
  });
});
