import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { type as ark } from 'arktype';
import { Type } from 'class-transformer';
import { IsEmail, IsInt, Min, ValidateNested } from 'class-validator';
import { expectTypeOf } from 'expect-type';
import * as v from 'valibot';
import { z } from 'zod';
import { JobHandler } from '../../../lib/nest/decorators/job-handler.decorator.js';
import { JobCtx } from '../../../lib/nest/decorators/job-ctx.decorator.js';
import { JobPayload } from '../../../lib/nest/decorators/job-payload.decorator.js';
import { defineJob, type, type JobDefinition, type JobOf } from '../../../lib/job/definition.js';
import { InvalidOptionError, NewerPayloadError, InvalidPayloadError } from '../../../lib/job/errors.js';
import type { Enqueued, Job, JobContext } from '../../../lib/job/job.js';
import type { JobClient } from '../../../lib/client/job-client.js';
import { thrownBy } from '../fakes.js';

class LineDto {
  @IsInt()
  @Min(1)
  quantity!: number;
}

class OrderDto {
  @IsEmail()
  mail!: string;

  @ValidateNested({ each: true })
  @Type(() => LineDto)
  lines!: LineDto[];
}

class FrameDto {
  left!: number;
  right(): number {
    return this.left + 1;
  }
}

class CropDto {
  width!: number;
  frame!: FrameDto;
  since!: Date;
  bytes!: Uint8Array;
  sizes!: [number, number][];
  readonly note?: string;

  area(): number {
    return this.width ** 2;
  }
}

const schemas = {
  zod: z.object({ mail: z.email(), lines: z.array(z.object({ quantity: z.int().min(1) })) }),
  valibot: v.object({
    mail: v.pipe(v.string(), v.email()),
    lines: v.array(v.object({ quantity: v.pipe(v.number(), v.integer(), v.minValue(1)) })),
  }),
  arktype: ark({ mail: 'string.email', lines: ark({ quantity: 'number.integer >= 1' }).array() }),
  'class-validator': OrderDto,
};

const read = (definition: JobDefinition, payload: unknown, version = 1): Promise<unknown> =>
  definition.read(payload, version);

async function issuesOf(reading: Promise<unknown>): Promise<readonly { path: string; message: string }[]> {
  const error = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InvalidPayloadError);
  return (error as InvalidPayloadError).issues;
}

describe.each(Object.entries(schemas))('a schema of %s', (_library, schema) => {
  const definition: JobDefinition = defineJob('order.place', { schema: schema as never });

  it('lets a payload pass that fits', async () => {
    const payload = { mail: 'a@example.com', lines: [{ quantity: 2 }] };
    expect(await read(definition, payload)).toEqual(payload);
  });

  it('names every path that does not fit', async () => {
    const issues = await issuesOf(
      read(definition, { mail: 'nobody', lines: [{ quantity: 1 }, { quantity: 0 }] }),
    );
    expect(issues.map(({ path }) => path).toSorted()).toEqual(['payload.lines[1].quantity', 'payload.mail']);
  });

  it.each([null, undefined, 'text', 7, []])('refuses %p', async (payload) => {
    expect((await issuesOf(read(definition, payload))).length).toBeGreaterThan(0);
  });
});

describe('JobDefinition', () => {
  it('gives the handler what the schema makes of the payload, and an instance of a class', async () => {
    const resize = defineJob('resize', {
      schema: z.object({ at: z.coerce.date(), size: z.int().default(3) }),
    });
    expect(await resize.read({ at: '2026-01-01T00:00:00.000Z' }, 1)).toEqual({
      at: new Date('2026-01-01T00:00:00.000Z'),
      size: 3,
    });
    const order = defineJob('order', { schema: OrderDto });
    const instance = await order.read({ mail: 'a@example.com', lines: [{ quantity: 1 }] }, 1);
    expect(instance).toBeInstanceOf(OrderDto);
    expect(instance.lines[0]).toBeInstanceOf(LineDto);
  });

  it('waits for a check that takes time', async () => {
    const taken = z.string().refine((value) => Promise.resolve(value !== 'taken'), 'is taken');
    const definition = defineJob('name', { schema: taken });
    expect(await definition.read('free', 1)).toBe('free');
    expect(await issuesOf(definition.read('taken', 1))).toEqual([{ path: 'payload', message: 'is taken' }]);
  });

  it('brings a payload of an earlier version up to date before it is checked', async () => {
    const calls: number[] = [];
    const definition = defineJob('greet', {
      version: 3,
      schema: z.object({ name: z.string() }),
      upcast: (payload, fromVersion) => {
        calls.push(fromVersion);
        return { name: String(payload) };
      },
    });
    expect(await definition.read('Ada', 1)).toEqual({ name: 'Ada' });
    expect(await definition.read({ name: 'Bo' }, 3)).toEqual({ name: 'Bo' });
    expect(calls).toEqual([1]);
  });

  it('leaves a payload of a newer version alone', async () => {
    const definition = defineJob('greet', { version: 2, upcast: () => 'never' });
    await expect(definition.read('hello', 3)).rejects.toThrow(NewerPayloadError);
  });

  it.each([
    ['version', { version: 0 }],
    ['version', { version: 1.5 }],
    ['schema', { schema: {} as never }],
    ['maxAttempts', { maxAttempts: 0 }],
    ['version', { version: 2 ** 31 }],
    ['returns', { returns: 'number' as never }],
    ['priority', { priority: 0.5 }],
    ['upcast', { upcast: true as never }],
    ['timeoutMs', { timeoutMs: -1 }],
    ['queue', { queue: '' }],
  ])('refuses a wrong %s at once', (option, options) => {
    expect(() => defineJob('k', options)).toThrow(InvalidOptionError);
    expect(() => defineJob('k', options)).toThrow(`defineJob("k"): ${option}`);
  });

  it('refuses an option that does not exist, and suggests the one that was probably meant', () => {
    const error = thrownBy(() => defineJob('k', { shema: z.string() } as object));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ option: 'defineJob("k"): shema' });
    expect((error as Error).message).toContain(
      'Did you mean "schema"? The options are queue, maxAttempts, backoff, timeoutMs, transactional, keepResult, concurrency, unique, ' +
        'schema, returns, priority, version, upcast.',
    );
  });

  it('makes jobs for enqueueMany, with its own settings where the caller says nothing else', () => {
    const definition = defineJob<number>('count', { priority: 5, maxAttempts: 2 });
    expect(definition.with(1)).toMatchObject({ kind: 'count', payload: 1, priority: 5, maxAttempts: 2 });
    expect(definition.with(1, { priority: 9 })).toMatchObject({ priority: 9, maxAttempts: 2 });
    expect(definition.with(1, { priority: undefined })).toMatchObject({ priority: 5, maxAttempts: 2 });
  });
});

/** What an enqueue gives back. */
type Made<J> = J & { readonly enqueued: Enqueued };

/** Never called: what stands here must compile, or must not. */
export function typesHold(client: JobClient): void {
  const plain = defineJob<{ a: number }, string>('plain');
  const parsed = defineJob('parsed', {
    schema: z.object({ at: z.coerce.date() }),
    returns: type<{ ok: boolean }>(),
  });
  const dto = defineJob('dto', { schema: OrderDto });

  expectTypeOf(client.enqueue(plain, { a: 1 })).resolves.toEqualTypeOf<Made<Job<{ a: number }, string>>>();
  expectTypeOf(client.get(plain, 'id')).resolves.toEqualTypeOf<Job<{ a: number }, string> | null>();
  expectTypeOf(client.enqueue('any.kind', { b: 2 })).resolves.toEqualTypeOf<Made<Job<{ b: number }>>>();
  // @ts-expect-error the payload is of another type
  void client.enqueue(plain, { a: 'one' });
  // @ts-expect-error the payload is missing
  void client.enqueue(plain);
  // @ts-expect-error the class has other fields
  void client.enqueue(dto, { mail: 'a@example.com' });
  void client.enqueueMany([plain.with({ a: 1 }), dto.with({ mail: 'a@example.com', lines: [] })]);
  // @ts-expect-error the payload is of another type
  void client.enqueueMany([plain.with({ a: null })]);

  const crop = defineJob('crop', { schema: CropDto, returns: type<number>() });
  const at = {
    width: 2,
    frame: { left: 1 },
    since: new Date(),
    bytes: new Uint8Array(1),
    sizes: [[1, 2]] as [number, number][],
  };
  void client.enqueue(crop, at); // a class has methods, a payload has none
  void client.enqueue(crop, new CropDto());
  // @ts-expect-error the frame has no place
  void client.enqueue(crop, { ...at, frame: {} });
  expectTypeOf<JobOf<typeof crop>>().toEqualTypeOf<Job<CropDto, number>>();
  expectTypeOf<JobOf<typeof parsed>>().toEqualTypeOf<Job<{ at: Date }, { ok: boolean }>>();

  class Handlers {
    @JobHandler(parsed)
    right(job: Job<{ at: Date }>): { ok: boolean } {
      return { ok: job.payload.at.getTime() > 0 };
    }

    @JobHandler(crop)
    instance({ payload }: JobOf<typeof crop>): number {
      return payload.area() + payload.frame.right();
    }

    @JobHandler(plain)
    async alsoRight(job: Job<{ a: number }>): Promise<string> {
      return Promise.resolve(String(job.payload.a));
    }

    // @ts-expect-error the payload is of another type
    @JobHandler(plain)
    wrongPayload(job: Job<{ a: string }>): string {
      return job.payload.a;
    }

    @JobHandler(plain)
    rightParams(@JobPayload() payload: { a: number }, @JobCtx() { attempt }: JobContext): string {
      return String(payload.a + attempt);
    }

    // @ts-expect-error the payload is of another type
    @JobHandler(plain)
    wrongParam(@JobPayload() payload: { a: string }): string {
      return payload.a;
    }

    @JobHandler('by kind')
    anyParams(@JobCtx() { attempt }: JobContext, @JobPayload() payload: string): string {
      return payload + String(attempt);
    }

    // @ts-expect-error the result is of another type
    @JobHandler(plain)
    wrongResult(job: Job<{ a: number }>): number {
      return job.payload.a;
    }
  }
  expect(Handlers).toBeDefined();
}
