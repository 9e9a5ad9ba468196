import { describe, expect, it, jest } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import type { JobPage } from '../../../lib/dashboard/api/job-screens.js';
import type { JobsDashboardOptions } from '../../../lib/dashboard/index.js';
import { TestDashboards } from '../../support/dashboard.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TEMPLATE = 'https://tempo.example/trace/{traceId}?of={traceId}';

describe('The trace of a job', () => {
  const dashboards = TestDashboards.here();
  const warn = jest.fn();
  const logger: LoggerService = { log: () => undefined, error: () => undefined, warn };

  /** An application whose jobs carry a trace, but for one. */
  const start = async (traceUrl: JobsDashboardOptions['traceUrl']) => {
    let traceparent: string | undefined = `00-${TRACE}-00f067aa0ba902b7-01`;
    const contextCarrier = {
      capture: () => (traceparent === undefined ? undefined : { traceparent }),
      restore: <T>(_carried: unknown, next: () => Promise<T>) => next(),
    };
    warn.mockClear();
    await dashboards.start({ jobs: { contextCarrier }, options: { traceUrl }, logger });
    await dashboards.client.enqueue('traced', null, { id: 'traced', delayMs: 3_600_000 });
    traceparent = undefined;
    await dashboards.client.enqueue('plain', null, { id: 'plain', delayMs: 3_600_000 });
  };
  const traceOf = async (id: string) => {
    const { job } = (await dashboards.get(`/admin/jobs/api/job?id=${id}`)).json() as JobPage;
    return [job.traceId, job.traceUrl];
  };
  const warnings = () =>
    warn.mock.calls.map(([text]) => String(text)).filter((text) => /traceUrl/.test(text));

  it('leads nowhere without the option', async () => {
    await start(undefined);
    expect(await traceOf('traced')).toEqual([TRACE, null]);
    expect(await traceOf('plain')).toEqual([null, null]);
  });

  it('leads to where the template says', async () => {
    await start(TEMPLATE);
    expect(await traceOf('traced')).toEqual([TRACE, `https://tempo.example/trace/${TRACE}?of=${TRACE}`]);
    expect(await traceOf('plain')).toEqual([null, null]);
  });

  it('leads to where a function says, which is told of the job', async () => {
    await start((traceId, { kind }) => `http://jaeger.example/trace/${traceId}?kind=${kind}`);
    expect(await traceOf('traced')).toEqual([TRACE, `http://jaeger.example/trace/${TRACE}?kind=traced`]);
    expect(warnings()).toEqual([]);
  });

  it('leads nowhere where the function says so', async () => {
    await start(() => null);
    expect(await traceOf('traced')).toEqual([TRACE, null]);
    expect(warnings()).toEqual([]);
  });

  it.each([
    ['returns a script', () => 'javascript:alert(1)', 'returned "javascript:alert(1)"'],
    ['returns a path', () => '/trace', 'returned "/trace"'],
    ['returns nothing', () => undefined as never, 'returned undefined'],
    [
      'throws',
      () => {
        throw new Error('no such tenant');
      },
      'threw for the job "traced": Error: no such tenant',
    ],
  ])('leads nowhere where the function %s, and a warning says so once', async (_what, traceUrl, told) => {
    await start(traceUrl);
    expect(await traceOf('traced')).toEqual([TRACE, null]);
    expect(await traceOf('traced')).toEqual([TRACE, null]);
    expect(warnings()).toEqual([expect.stringContaining(told)]);
  });
});
