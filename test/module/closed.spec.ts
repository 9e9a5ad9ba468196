import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { ApplicationClosedError, JobClient, JobsModule } from '../../lib/index.js';
import { TestApplications } from '../support/applications.js';
import { describeOn, oneOfEach, sqlite } from '../support/databases.js';

describeOn([...oneOfEach, ...sqlite], 'the client of an application that is closed, on $name,', (server) => {
  const apps = TestApplications.on(server);

  it('refuses what comes late with an error that says so', async () => {
    const app = await apps.start({ imports: [apps.typeOrm(), JobsModule.forRoot({ worker: false })] });
    const client = app.get(JobClient);
    await app.close();
    const late = [
      () => client.enqueue('echo'),
      () => client.enqueueMany([{ kind: 'echo' }]),
      () => client.get('echo'),
      () => client.transaction(() => Promise.resolve()),
    ];
    for (const call of late) await expect(call()).rejects.toBeInstanceOf(ApplicationClosedError);
  });

  it('leaves the errors of the caller as they are', async () => {
    const app = await apps.start({ imports: [apps.typeOrm(), JobsModule.forRoot({ worker: false })] });
    const fault = new Error('no');
    const failing = app.get(JobClient).transaction(async () => {
      await Promise.resolve();
      throw fault;
    });
    await expect(failing).rejects.toBe(fault);
  });
});
