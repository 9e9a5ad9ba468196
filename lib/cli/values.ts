import { A_DURATION, parseDuration } from '../job/duration.js';
import { UsageError } from './cli-errors.js';

/** What `parseArgs` has read. */
export type ParsedValues = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** The values of the options of a command, checked. Every method throws UsageError. */
export class Values {
  constructor(private readonly parsed: ParsedValues) {}

  flag(name: string): boolean {
    return this.parsed[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.parsed[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** All values of an option that may be given several times; undefined where it was not given. */
  texts(name: string): string[] | undefined {
    const values = this.parsed[name];
    return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : undefined;
  }

  whole(name: string, min: number, max: number): number | undefined {
    return this.read(name, `a whole number from ${min} to ${max}`, (text) => {
      const number = Number(text);
      return /^\d+$/.test(text) && number >= min && number <= max ? number : undefined;
    });
  }

  /** In milliseconds. */
  duration(name: string): number | undefined {
    return this.read(name, A_DURATION, (text) => parseDuration(/^\d+$/.test(text) ? Number(text) : text));
  }

  /** An instant with its zone: a time without one would be another on each machine. */
  instant(name: string): Date | undefined {
    return this.read(name, "a date and time with its zone, such as '2026-11-27T09:00:00Z'", (text) => {
      const hasZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/i.test(text);
      const date = new Date(text);
      return hasZone && !Number.isNaN(date.getTime()) ? date : undefined;
    });
  }

  /** The names of the options that were given. */
  get given(): string[] {
    return Object.keys(this.parsed).filter((name) => this.parsed[name] !== undefined);
  }

  private read<T>(name: string, allowed: string, parse: (text: string) => T | undefined): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value !== undefined) return value;
    throw new UsageError(`--${name} is ${JSON.stringify(text)}; it must be ${allowed}.`);
  }
}
