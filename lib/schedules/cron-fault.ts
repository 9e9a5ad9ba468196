/** The fields of an expression with seconds, and what they may have. */
const FIELDS: readonly (readonly [name: string, values: string])[] = [
  ['second', '0 to 59'],
  ['minute', '0 to 59'],
  ['hour', '0 to 23'],
  ['day of month', '1 to 31, L, LW and 15W'],
  ['month', '1 to 12 and JAN to DEC'],
  ['day of week', '0 to 7, SUN to SAT, 1#2 and 5#L'],
];
const NICKNAMES = '@hourly, @daily, @weekly, @monthly and @yearly';

/**
 * Says what is wrong with a cron expression that cannot be read: which of its fields, and what that may have.
 *
 * @param isReadable whether an expression can be read. Each field is tried in an expression that has nothing else
 */
export function faultOf(expression: string, isReadable: (expression: string) => boolean): string {
  const given = `is ${JSON.stringify(expression)}`;
  const fields = expression.trim().split(/\s+/);
  if (expression.includes('@')) return `${given}, which is not known. The nicknames are ${NICKNAMES}.`;
  if (fields.length !== 5 && fields.length !== 6) {
    return (
      `${given}, which does not have five or six fields. They are minute, hour, day of month, month and day of week, ` +
      `and there may be seconds before them.`
    );
  }
  const names = FIELDS.slice(-fields.length);
  const alone = (field: string, index: number) =>
    names.map((_, at) => (at === index ? field : '*')).join(' ');
  const wrong = fields.findIndex((field, index) => !isReadable(alone(field, index)));
  if (wrong === -1)
    return `${given}, whose fields do not go together. Correct it, or split it into two schedules.`;
  const [name, values] = names[wrong]!;
  return (
    `${given}, whose ${name} is "${fields[wrong]}". It may have ${values}, ` +
    `alone, in lists (1,5) and ranges (1-5), and with steps (*/5, 1-9/2).`
  );
}
