import { InvalidOptionError, InvalidPayloadError, JobsError, type PayloadIssue } from './errors.js';

/**
 * Any Standard Schema (https://standardschema.dev), such as those of zod, valibot and arktype. Only the part that is used
 * is declared here.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A class with class-validator's decorators. */
export type DtoClass<Dto extends object = object> = new () => Dto;

export type PayloadSchema = StandardSchema<never, unknown> | StandardSchema | DtoClass;

/** @throws InvalidOptionError where `schema` is no schema */
export function requireSchema(schema: unknown, option: string): void {
  if (schema === undefined || isStandardSchema(schema) || isClass(schema)) return;
  throw new InvalidOptionError(
    option,
    schema,
    'a Standard Schema (zod, valibot, arktype …) or a class with class-validator',
  );
}

/**
 * Checks a payload as it is read from the store.
 *
 * @returns what the schema makes of it: the output of the schema, or an instance of the class
 * @throws InvalidPayloadError with every path that failed
 */
export async function checkPayload(schema: PayloadSchema, payload: unknown, kind: string): Promise<unknown> {
  if (!isStandardSchema(schema)) return checkDto(schema, payload, kind);
  const result = await schema['~standard'].validate(payload);
  if (result.issues === undefined) return result.value;
  throw new InvalidPayloadError(
    kind,
    result.issues.map(({ message, path = [] }) => ({ message, path: printPath(path) })),
  );
}

async function checkDto(dto: DtoClass, payload: unknown, kind: string): Promise<object> {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new InvalidPayloadError(kind, [{ path: 'payload', message: `must be an object for ${dto.name}` }]);
  }
  const { validate, plainToInstance } = await loadClassValidator(dto);
  const instance = plainToInstance(dto, payload);
  const errors = await validate(instance, { forbidUnknownValues: false });
  if (errors.length === 0) return instance;
  throw new InvalidPayloadError(
    kind,
    errors.flatMap((error) => flatten(error, 'payload')),
  );
}

/** The parts of class-validator and class-transformer that are used. */
interface ClassValidator {
  readonly validate: (instance: object, options: object) => Promise<DtoError[]>;
  readonly plainToInstance: <Dto extends object>(dto: DtoClass<Dto>, plain: object) => Dto;
}

interface DtoError {
  readonly property: string;
  readonly constraints?: Readonly<Record<string, string>>;
  readonly children?: readonly DtoError[];
}

async function loadClassValidator(dto: DtoClass): Promise<ClassValidator> {
  try {
    // Optional peers: only classes need them.
    const [validator, transformer] = await Promise.all([
      import('class-validator'),
      import('class-transformer'),
    ]);
    return { validate: validator.validate, plainToInstance: transformer.plainToInstance };
  } catch (cause) {
    const problem = `The class ${dto.name} can only be checked with class-validator and class-transformer; install both.`;
    throw new JobsError(problem, { cause });
  }
}

function flatten({ property, constraints = {}, children = [] }: DtoError, parent: string): PayloadIssue[] {
  const path = parent + printStep(/^\d+$/.test(property) ? Number(property) : property);
  return [
    ...Object.values(constraints).map((message) => ({ path, message })),
    ...children.flatMap((child) => flatten(child, path)),
  ];
}

function printPath(path: NonNullable<SchemaIssue['path']>): string {
  return path.reduce<string>(
    (printed, step) => printed + printStep(typeof step === 'object' ? step.key : step),
    'payload',
  );
}

function printStep(key: PropertyKey): string {
  return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
}

// A schema may be a function: arktype's are.
function isStandardSchema(schema: unknown): schema is StandardSchema {
  return (
    ((typeof schema === 'object' && schema !== null) || typeof schema === 'function') && '~standard' in schema
  );
}

function isClass(schema: unknown): schema is DtoClass {
  return typeof schema === 'function' && /^class\b/.test(Function.prototype.toString.call(schema));
}
