import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Settings from the command line and the environment. */
export interface Settings {
  /** Exit after the summary instead of serving. */
  readonly once: boolean;
  /** How many orders of the CSV file to load. */
  readonly orders: number;
  readonly port: number;
  /** The folder for invoices, mails and the embedded database. */
  readonly dataDir: string;
  /** A postgres:// or mysql:// URL; undefined for the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined;
}

const SAMPLE_DIR = join(dirname(fileURLToPath(import.meta.url)), '..');

export const ORDERS_FILE = join(SAMPLE_DIR, 'data', 'orders.csv');

/** @throws Error that says what is wrong with an argument */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const options = { once: { type: 'boolean', default: false }, orders: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  return {
    once: values.once,
    orders: wholeNumber('--orders', values.orders, Infinity),
    port: wholeNumber('PORT', env.PORT, 3000),
    dataDir: resolve(env.SAMPLE_DATA_DIR ?? join(SAMPLE_DIR, '.data')),
    databaseUrl: env.DATABASE_URL,
  };
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`${name} is "${text}"; it must be a whole number.`);
}
