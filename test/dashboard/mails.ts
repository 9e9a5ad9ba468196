import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { defineJob, JobHandler, JobSchedule, type Job, type JobContext } from '../../lib/index.js';

const HOUR = 3_600_000;

export const Mail = defineJob('mail', {
  schema: z.object({ to: z.string(), count: z.number().optional() }),
});

/** Handlers and schedules of the applications whose pages are tested. */
@Injectable()
export class Mails {
  private endSlow: () => void = () => undefined;

  @JobHandler(Mail)
  send({ payload }: Job<{ to: string }>, { log, progress }: JobContext): unknown {
    log(`Sending to ${payload.to}.`);
    progress(0.5);
    if (payload.to === 'nobody') throw new Error(`No mailbox of "${payload.to}", 4711`);
    return { sent: true };
  }

  /** Runs until it is let go, or stopped. */
  @JobHandler('slow')
  async slow(_job: Job, { signal }: JobContext): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.endSlow = resolve;
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }

  letSlowEnd(): void {
    this.endSlow();
  }

  @JobSchedule({ everyMs: HOUR }, { name: 'hourly' })
  hourly(): void {}

  @JobSchedule('0 3 * * *', { name: 'nightly', timeZone: 'Europe/Berlin' })
  nightly(): void {}
}
