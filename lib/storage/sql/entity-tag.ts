import { getMetadataArgsStorage, type DataSource } from 'typeorm';
import { InvalidJobError } from '../../job/errors.js';
import { describeType, millisOf } from '../../job/names.js';
import { isObject } from '../../job/option-checks.js';
import { MAX_TAG_LENGTH } from '../../job/tags.js';

/** A class of entities. */
type EntityClass = abstract new (...args: never[]) => object;

/** A column of a primary key. */
interface KeyColumn {
  /** `id`, or `address.id` in an embedded entity. */
  readonly path: string;
  readonly valueIn: (entity: object) => unknown;
}

/**
 * A tag for jobs that belong to an entity of TypeORM: the name of its class and its primary key, as in `Order:4711`. `find`
 * takes the entity itself.
 *
 * A composite key is its values in the alphabetical order of the properties, separated by commas: `OrderLine:4711,2` of
 * `{ orderId: 4711, position: 2 }`. A comma and a percent sign within such a value are written as `%2C` and `%25`.
 *
 * @param dataSource needed only where the primary key is in an embedded entity or is a relation, and for a class whose
 * entity was declared by an `EntitySchema`
 * @throws InvalidJobError where it is no entity, has no primary key yet, or its tag would be longer than 100 characters
 */
export function forEntity(entity: object, dataSource?: DataSource): string {
  if (!isObject(entity)) throw refusal(`is ${describeType(entity)}; it must be an entity.`);
  const { name, columns } = describe(entity, dataSource);
  const values = columns.map(({ path, valueIn }) => keyText(valueIn(entity), `${name}.${path}`));
  const key = values.length === 1 ? values[0]! : values.map(escaped).join(',');
  const tag = `${name}:${key}`;
  const { length } = Array.from(tag);
  if (length <= MAX_TAG_LENGTH) return tag;
  throw refusal(`makes a tag of ${length} characters; a tag has at most ${MAX_TAG_LENGTH}.`);
}

function describe(
  entity: object,
  dataSource: DataSource | undefined,
): { readonly name: string; readonly columns: readonly KeyColumn[] } {
  const target = entity.constructor as EntityClass;
  // The DataSource of tests without a database knows no entities.
  const isKnown = typeof dataSource?.hasMetadata === 'function' && dataSource.hasMetadata(target);
  const columns = isKnown ? columnsIn(dataSource, target) : declaredColumns(target);
  if (columns.length === 0)
    throw refusal(
      `is of class ${target.name}, of which no primary key is known. Give an instance of a class with @Entity(), or a tag ` +
        `of your own.`,
    );
  return { name: target.name, columns: columns.toSorted((one, other) => (one.path < other.path ? -1 : 1)) };
}

function columnsIn(dataSource: DataSource, target: EntityClass): KeyColumn[] {
  return dataSource.getMetadata(target).primaryColumns.map((column) => ({
    path: column.propertyPath,
    valueIn: (entity) => column.getEntityValue(entity) as unknown,
  }));
}

/** By the decorators of the class and of those that it extends. */
function declaredColumns(target: EntityClass): KeyColumn[] {
  const isOfClass = (other: unknown) =>
    typeof other === 'function' && (other === target || Object.prototype.isPrototypeOf.call(other, target));
  const names = getMetadataArgsStorage()
    .columns.filter((column) => isOfClass(column.target) && column.options.primary === true)
    .map(({ propertyName }) => propertyName);
  return [...new Set(names)].map((path) => ({
    path,
    valueIn: (entity) => (entity as Readonly<Record<string, unknown>>)[path],
  }));
}

function keyText(value: unknown, path: string): string {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  if (value instanceof Date) return new Date(millisOf(value)).toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  throw refusal(`has no primary key yet: ${path} is ${describeType(value)}. Save it first.`);
}

function escaped(value: string): string {
  return value.replaceAll(/[%,]/g, (sign) => (sign === ',' ? '%2C' : '%25'));
}

function refusal(problem: string): InvalidJobError {
  return new InvalidJobError('entity', problem);
}
