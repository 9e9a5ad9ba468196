import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Changed } from '../../../lib/dashboard/api/actions.js';
import type { JobPage, Jobs } from '../../../lib/dashboard/api/job-screens.js';
import { describeOn, oneOfEach, ofType } from '../../support/databases.js';
import { TestDashboards } from '../../support/dashboard.js';

/* On MariaDB: a json column of PostgreSQL accepts only JSON. */
describeOn(ofType('mysql', oneOfEach), 'Rows that cannot be read, on $name', (server) => {
  const dashboards = TestDashboards.on(server);
  const start = async () => {
    await dashboards.start();
    const job = { kind: 'later', payload: { n: 1 }, delayMs: 3_600_000, tags: ['t'] };
    await dashboards.client.enqueueMany(['a', 'b', 'c'].map((id) => ({ ...job, id })));
    const sql = `UPDATE nest_jobs SET payload = '{"n":1,"cut', carried = '{"cut', settings = '{"cut' WHERE id = 'b'`;
    await dashboards.find(DataSource).query(sql);
  };
  const list = async (query: string) => {
    const { status, json } = await dashboards.get(`/admin/jobs/api/jobs?${query}`);
    expect(status).toBe(200);
    return (json() as Jobs).jobs;
  };
  const act = async (name: string, body: object) => {
    const { status, json } = await dashboards.act(name, body);
    expect(status).toBe(200);
    return json() as Changed;
  };

  it('are in the list, with what can be read of them', async () => {
    await start();
    const jobs = await list('');
    expect(jobs.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect(jobs[1]).toMatchObject({ id: 'b', kind: 'later', state: 'scheduled', tags: [] });
    expect(jobs[2]).toMatchObject({ id: 'a', tags: ['t'] });
    expect((await list('kind=later&state=scheduled')).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect((await list('payload=n=1')).map(({ id }) => id)).toEqual(['c', 'a']);
  });

  it('say on their own page what is wrong, and are passed over by the neighbours', async () => {
    await start();
    const { status, json } = await dashboards.get('/admin/jobs/api/job?id=b');
    expect(status).toBe(422);
    expect(json()).toEqual({ error: { code: 'refused', message: expect.stringContaining('is no JSON') } });
    const page = (await dashboards.get('/admin/jobs/api/job?id=a')).json() as JobPage;
    expect(page.neighbours).toEqual({ older: null, newer: 'b' });
  });

  it('keep no action from the others, and can be deleted', async () => {
    await start();
    expect(await act('run-now', { filter: 'kind=later' })).toMatchObject({ matched: 3 });
    expect((await list('state=ready')).map(({ id }) => id)).toEqual(expect.arrayContaining(['a', 'c']));
    expect(await act('cancel', { filter: 'payload=n=1' })).toMatchObject({ changed: 2 });
    expect(await act('delete', { ids: ['b'] })).toMatchObject({ changed: 1 });
    expect((await list('')).map(({ id }) => id)).toEqual(['c', 'a']);
  });
});
