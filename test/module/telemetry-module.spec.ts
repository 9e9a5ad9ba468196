import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { SpanStatusCode } from '@opentelemetry/api';
import { getJobClientToken, InvalidOptionError, JobClient } from '../../lib/index.js';
import { JobsTestingModule, jobsTester } from '../../lib/testing/index.js';
import { JobsTelemetryModule, type JobsTelemetryOptions } from '../../lib/telemetry/index.js';
import { MemoryLogger } from '../support/memory-logger.js';
import { Mails, QUICK } from '../support/observed-applications.js';
import { OpenTelemetry } from '../support/open-telemetry.js';

const OTEL = OpenTelemetry.forEachTest();

describe('Telemetry in the testing module', () => {
  it('tells of an attempt whose lease is lost', async () => {
    const app = await Test.createTestingModule({
      imports: [
        JobsTestingModule.forRoot({ ...QUICK, logger: new MemoryLogger() }),
        JobsTelemetryModule.forRoot({ meterProvider: OTEL.current.meterProvider }),
      ],
      providers: [Mails],
    }).compile();
    await app.init();
    const { id } = await app.get(JobClient).enqueue('mail', 'permanent');
    const tester = jobsTester(app);
    await tester.loseLease(id);
    await tester.drain();
    const [lost] = await OTEL.current.processed(1);
    expect(lost!.attributes).toMatchObject({
      'nestjs_typeorm_jobs.outcome': 'lost',
      'error.type': 'LeaseLostError',
    });
    expect(lost!.status.code).toBe(SpanStatusCode.ERROR);
    const losses = (await OTEL.current.points()).filter(
      ({ name }) => name === 'nestjs_typeorm_jobs.lease.losses',
    );
    expect(losses.map(({ value, attributes }) => [value, attributes['messaging.destination.name']])).toEqual([
      [1, 'mail'],
    ]);
    await app.close();
  });
});

describe('JobsTelemetryModule', () => {
  it.each([
    [{ parent: 1 }, 'parent'],
    [{ kindsCacheMs: -1 }, 'kindsCacheMs'],
    [{ tracerProvider: {} }, 'tracerProvider'],
    [{ meter: {} }, 'meter'],
  ])('refuses %j', (options, option) => {
    const start = () => JobsTelemetryModule.forRoot(options as JobsTelemetryOptions);
    expect(start).toThrow(expect.objectContaining({ name: 'InvalidOptionError', option }));
    expect(start).toThrow(InvalidOptionError);
  });

  it('finds a module with a name that is not global', async () => {
    const { meterProvider } = OTEL.current;
    const app = await Test.createTestingModule({
      imports: [
        JobsTelemetryModule.forRoot({ name: 'mails', meterProvider }),
        JobsTestingModule.forRoot({
          ...{ name: 'mails', isGlobal: false, unknownKinds: 'allow', logger: new MemoryLogger() },
        }),
      ],
    }).compile();
    await app.init();
    await app.get<JobClient>(getJobClientToken('mails')).enqueue('mail');
    expect(OTEL.current.sent.map(({ attributes }) => attributes['nestjs_typeorm_jobs.queue'])).toEqual([
      'mails',
    ]);
    await app.close();
  });

  it('refuses to start without the module that it is for', async () => {
    const app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot(), JobsTelemetryModule.forRoot({ name: 'mails' })],
    }).compile();
    await expect(app.init()).rejects.toThrow('Option "name" is "mails"; it must be the name of a JobsModule');
  });
});
