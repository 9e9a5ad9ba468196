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
  /** An unpaid order is reminded of when it has not changed for so long. */
  readonly remindAfterMs: number;
  /** But not later than so long after the first of its changes. */
  readonly remindWithinMs: number;
  /** The refresh of a customer waits so long, for others to join it. */
  readonly refreshAfterMs: number;
  /** How long a request waits for an invoice before it is told to come back. */
  readonly invoiceWaitMs: number;
  /** An import of the price list rests so long after each few products, so that its progress can be seen. */
  readonly importPauseMs: number;
  /** Of the name `admin`, for the dashboard and the metrics. */
  readonly adminPassword: string;
}

/** The clock on the shop's wall. No member of `Settings`, as decorators want it when their classes are loaded. */
export const SHOP_TIME_ZONE = process.env.SHOP_TIME_ZONE ?? 'Europe/Dublin';

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
    remindAfterMs: wholeNumber('REMIND_AFTER_MS', env.REMIND_AFTER_MS, 5_000),
    remindWithinMs: wholeNumber('REMIND_WITHIN_MS', env.REMIND_WITHIN_MS, 20_000),
    refreshAfterMs: wholeNumber('REFRESH_AFTER_MS', env.REFRESH_AFTER_MS, 2_000),
    invoiceWaitMs: wholeNumber('INVOICE_WAIT_MS', env.INVOICE_WAIT_MS, 5_000),
    importPauseMs: wholeNumber('IMPORT_PAUSE_MS', env.IMPORT_PAUSE_MS, 500),
    adminPassword: env.ADMIN_PASSWORD ?? 'sample',
  };
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`${name} is "${text}"; it must be a whole number.`);
}
