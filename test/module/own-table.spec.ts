import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { JobsError, JobsModule, type JobsModuleOptions } from '../../lib/index.js';
import { TestApplications } from '../support/applications.js';
import { describeOn, oneOfEach, sqlite } from '../support/databases.js';

describeOn([...oneOfEach, ...sqlite], 'two JobsModules of an application on $name', (server) => {
  const apps = TestApplications.on(server);
  const isPostgres = server.type === 'postgres';

  const start = (...modules: JobsModuleOptions[]) =>
    apps.start({
      imports: [
        apps.typeOrm(),
        apps.typeOrm('other'),
        ...modules.map((options) => JobsModule.forRoot({ worker: false, ...options })),
      ],
    });

  it('are refused at startup on one table, with both named', async () => {
    const starting = start({ name: 'a', tablePrefix: 'x_' }, { name: 'b', tablePrefix: 'x_' });
    await expect(starting).rejects.toBeInstanceOf(JobsError);
    await expect(starting).rejects.toThrow(
      /"(a|b)" and "(a|b)" keep their jobs in one table, x_jobs.*tablePrefix/,
    );
    await expect(start({}, { name: 'b', tablePrefix: 'nest_' })).rejects.toThrow(/one table, nest_jobs/);
  });

  if (isPostgres)
    it('are refused if one of them alone names the schema that both are in', async () => {
      await start({ name: 'b', tablePrefix: 'x_', schema: 'public' }); // there is a table, so none is made below
      const both = start({ tablePrefix: 'x_' }, { name: 'b', tablePrefix: 'x_', schema: 'public' });
      await expect(both).rejects.toThrow(/one table/);
    });

  it(`${isPostgres ? 'may have' : 'are refused for'} names that differ in case alone`, async () => {
    const starting = start({ name: 'bulk' }, { name: 'Bulk' });
    if (isPostgres) expect(await starting).toBeDefined();
    else await expect(starting).rejects.toThrow(/one table, nest_bulk_jobs/);
  });

  it('start on tables of their own, and on DataSources of their own', async () => {
    expect(
      await start({}, { name: 'b' }, { name: 'c', dataSource: 'other', tablePrefix: 'x_' }),
    ).toBeDefined();
  });
});
