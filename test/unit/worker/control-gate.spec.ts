import { beforeEach, describe, expect, it } from '@jest/globals';
import { ControlsUnknownError, JobPausedError } from '../../../lib/job/control-errors.js';
import type { Controls, StoredPause } from '../../../lib/queue/kind-store.js';
import { ControlGate } from '../../../lib/worker/control-gate.js';

const SECOND = 1_000;

describe('ControlGate', () => {
  let now: number;
  let gate: ControlGate;

  beforeEach(() => {
    now = 1_000_000;
    gate = new ControlGate(() => now);
  });

  const pause = (kind: string, fields: Partial<StoredPause> = {}): StoredPause => ({
    ...{ kind, since: new Date(0), until: null, leftMs: null, reason: null, stopsRunning: false },
    ...fields,
  });
  const controls = (...pauses: StoredPause[]): Controls => ({ now: 0, changed: pauses.length, pauses });
  /** A statement that takes so long. */
  const after = (seconds: number): number => {
    const sentAt = now;
    now += seconds * SECOND;
    return sentAt;
  };
  const beat = (seconds = 0) => gate.beaten(after(seconds));
  const read = (given = controls(), seconds = 0) => gate.read(given, after(seconds));

  it('is closed until the worker is registered and has then read the controls', () => {
    expect(gate.isOpen('mail')).toBe(false);
    expect(read()).toBe(false);
    expect(gate.isOpen('mail')).toBe(false);
    expect(beat()).toBe(false);
    expect(gate.isOpen('mail')).toBe(false);
    expect(gate.reason('mail')).toBeInstanceOf(ControlsUnknownError);
    expect(read()).toBe(true);
    expect(gate.isOpen('mail')).toBe(true);
  });

  it('is closed to a paused kind, or to all', () => {
    beat();
    read(controls(pause('mail', { reason: 'enough' })));
    expect(gate.isOpen('mail')).toBe(false);
    expect(gate.isOpen('report')).toBe(true);
    expect(gate.reason('mail')).toBeInstanceOf(JobPausedError);
    expect(gate.reason('mail')).toMatchObject({ kind: 'mail', reason: 'enough' });
    expect(gate.seen).toBe(1);
    read(controls(pause('*', { stopsRunning: true }), pause('mail')));
    expect(gate.isOpen('report')).toBe(false);
    expect(gate.stopsRunning('mail')).toBe(true);
    read();
    expect(gate.isOpen('mail')).toBe(true);
    expect(gate.stopsRunning('mail')).toBe(false);
  });

  it('opens by itself when a pause is over, and not before', () => {
    beat();
    read(controls(pause('mail', { leftMs: 5 * SECOND })), 2);
    expect(gate.nextEndMs).toBe(5 * SECOND);
    after(4.9);
    expect(gate.isOpen('mail')).toBe(false);
    after(0.1);
    expect(gate.isOpen('mail')).toBe(true);
    expect(gate.nextEndMs).toBe(Infinity);
    expect(gate.all).toEqual([]);
  });

  it('closes half a minute after the last read was sent', () => {
    beat();
    read(controls(), 10);
    beat();
    after(19.9);
    expect(gate.isOpen('mail')).toBe(true);
    after(0.1);
    expect(gate.isOpen('mail')).toBe(false);
    read();
    expect(gate.isOpen('mail')).toBe(true);
  });

  it('closes before others count the worker as dead, however often it reads', () => {
    beat();
    for (let n = 0; n < 6; n++) {
      after(5);
      read();
    }
    expect(gate.isOpen('mail')).toBe(true);
    after(5);
    expect(gate.isOpen('mail')).toBe(false);
    expect(read()).toBe(false);
    expect(gate.isOpen('mail')).toBe(false);
  });

  it('takes nothing that was read before a gap in which others may have counted the worker as dead', () => {
    beat();
    after(30);
    read();
    after(10);
    expect(gate.isOpen('mail')).toBe(false);
    expect(beat()).toBe(false); // 40 seconds after the last one
    expect(gate.isOpen('mail')).toBe(false);
    read();
    expect(gate.isOpen('mail')).toBe(true);
  });

  it('counts a beat by when it was sent, and a gap by when it was answered', () => {
    beat();
    after(20);
    read();
    expect(beat(20)).toBe(false); // the answer came 40 seconds after the beat before
    expect(gate.isOpen('mail')).toBe(false);
    read();
    after(14.9);
    expect(gate.isOpen('mail')).toBe(true);
    after(0.1); // 35 seconds after the second beat was sent
    expect(gate.isOpen('mail')).toBe(false);
  });

  it('takes no read that was answered after the worker may have counted as dead', () => {
    beat();
    expect(read(controls(), 34)).toBe(true);
    after(0.5);
    expect(read(controls(), 1)).toBe(false);
  });
});
