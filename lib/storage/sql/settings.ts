import { UnsupportedDatabaseError } from '../../job/storage-errors.js';

/** A setting of a server or session on which the queue depends. */
export interface SettingRule {
  readonly name: string;
  /** Whether the queue works with this value. */
  readonly allows: (value: string) => boolean;
  /** What would happen: `no job would ever be claimed`. */
  readonly harm: string;
  /** What to do: `Set it to ROW or MIXED.` */
  readonly remedy: string;
}

/**
 * Looks at settings before anything is written.
 *
 * @param values by the name of the setting. A setting that the server does not have is not looked at.
 * @throws UnsupportedDatabaseError naming the setting, its value, the harm and the remedy
 */
export function requireSettings(rules: readonly SettingRule[], values: ReadonlyMap<string, string>): void {
  for (const { name, allows, harm, remedy } of rules) {
    const value = values.get(name);
    if (value === undefined || allows(value)) continue;
    throw new UnsupportedDatabaseError(
      `Jobs cannot be kept here: the database has ${name} = ${value || "''"}, with which ${harm}. ${remedy}`,
    );
  }
}
