import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { defineJob, InvalidOptionError, JobHandler, type JobHandlerOptions } from '../../lib/index.js';
import { marksOf } from '../../lib/nest/jobs.metadata.js';
import { JobsTestingModule } from '../../lib/testing/index.js';

/** Starts an application with one handler, `Mails.send`, that has these options. */
async function start(options: unknown): Promise<void> {
  @Injectable()
  class Mails {
    @JobHandler('mail.send', options as JobHandlerOptions)
    send(): void {}
  }
  @Module({ imports: [JobsTestingModule.forRoot()], providers: [Mails] })
  class MailModule {}
  const app = await Test.createTestingModule({ imports: [MailModule] }).compile();
  try {
    await app.init();
  } finally {
    await app.close();
  }
}

describe('The options of a handler', () => {
  it('that do not exist are refused, with the handler, all options and the one that was probably meant', async () => {
    const starting = start({ maxAttemps: 3 });
    await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(starting).rejects.toThrow(
      'Option "Mails.send in MailModule: maxAttemps" is 3; it must be left out, as there is no such option. ' +
        'Did you mean "maxAttempts"? ' +
        'The options are queue, maxAttempts, backoff, timeoutMs, transactional, keepResult, concurrency, unique.',
    );
  });

  it.each([
    [{ backoff: { type: 'exponential', maxDelay: 5 } }, 'backoff.maxDelay'],
    [{ queue: 7 }, 'queue'],
    [{ queue: 'a b' }, 'queue'],
    ['maxAttempts', 'options'],
    [[3], 'options'],
    [null, 'options'],
  ])('refuse %p, and name %s', async (options, option) => {
    await expect(start(options)).rejects.toMatchObject({
      name: 'InvalidOptionError',
      option: `Mails.send in MailModule: ${option}`,
    });
  });

  it('are those of the definition where the handler says nothing, or undefined', () => {
    const Send = defineJob('mail.send', { maxAttempts: 4, timeoutMs: 9, priority: 2 });
    class Mails {
      @JobHandler(Send, { maxAttempts: undefined, timeoutMs: 5 })
      send(): void {}
    }
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is not called
    const [mark] = marksOf(Mails.prototype.send);
    expect(mark).toEqual({ kind: 'mail.send', options: { maxAttempts: 4, timeoutMs: 5 }, definition: Send });
  });
});
