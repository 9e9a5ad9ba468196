import { isObject } from '../../job/option-checks.js';
import { DashboardRefusal } from '../web/refusal.js';

/** The body of an action, read field by field. The clients check what the values say. */
export class ActionBody {
  private readonly fields: Readonly<Record<string, unknown>>;

  /** @throws DashboardRefusal where it is no object */
  constructor(body: unknown) {
    if (!isObject(body))
      throw new DashboardRefusal(
        'invalid',
        'The body is no JSON object. Where it is one, the application has no parser of JSON bodies for this route.',
      );
    this.fields = { ...body };
  }

  /** @throws DashboardRefusal where it is no text, or empty */
  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined || value === '') this.refuse(name, 'a text');
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.fields[name];
    if (value !== undefined && typeof value !== 'string') this.refuse(name, 'a text');
    return value;
  }

  number(name: string): number {
    return this.optionalNumber(name) ?? this.refuse(name, 'a number');
  }

  optionalNumber(name: string): number | undefined {
    const value = this.fields[name];
    if (value !== undefined && (typeof value !== 'number' || !Number.isFinite(value)))
      this.refuse(name, 'a number');
    return value;
  }

  optionalInstant(name: string): Date | undefined {
    const millis = this.optionalNumber(name);
    return millis === undefined ? undefined : new Date(millis);
  }

  flag(name: string): boolean {
    const value = this.fields[name] ?? false;
    if (typeof value !== 'boolean') this.refuse(name, 'true or false');
    return value;
  }

  /** @param most how many there may be */
  optionalTexts(name: string, most: number): readonly string[] | undefined {
    const value = this.fields[name];
    if (value === undefined) return undefined;
    const isFine =
      Array.isArray(value) && value.length <= most && value.every((entry) => typeof entry === 'string');
    if (!isFine) this.refuse(name, `a list of at most ${most} texts`);
    return value;
  }

  /** A value that comes as JSON, so that it is stored as it was typed. @returns none where there is no such field */
  optionalJson(name: string): { readonly value: unknown } | undefined {
    const text = this.optionalText(name);
    if (text === undefined) return undefined;
    try {
      return { value: JSON.parse(text) as unknown };
    } catch (cause) {
      throw new DashboardRefusal('invalid', `${name} is no JSON: ${(cause as Error).message}`, { cause });
    }
  }

  private refuse(name: string, allowed: string): never {
    throw new DashboardRefusal('invalid', `${name} must be ${allowed}.`);
  }
}
