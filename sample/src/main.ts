import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { BacklogService } from './backlog/backlog.service.js';
import { watchBacklog } from './backlog/progress.js';
import { printJoined, printSummary } from './backlog/summary.js';
import { CustomersService } from './customers/customers.service.js';
import { claimFolder } from './database/claim-folder.js';
import { EmbeddedPostgres } from './database/embedded-postgres.js';
import { ADMIN } from './operations/admin.guard.js';
import { DASHBOARD_PATH } from './operations/operations.module.js';
import { OrdersImporter } from './orders/orders.importer.js';
import { RemindersService } from './reminders/reminders.service.js';
import { printReport } from './reports/print-report.js';
import { ReportsService } from './reports/reports.service.js';
import { ORDERS_FILE, readSettings, type Settings } from './settings.js';

const stopping = new AbortController();

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});

async function main(): Promise<number> {
  const settings = readSettings(process.argv.slice(2), process.env);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
  return settings.databaseUrl === undefined
    ? runOnEmbedded(settings)
    : runShop(settings, settings.databaseUrl);
}

async function runOnEmbedded(settings: Settings): Promise<number> {
  const giveUp = await claimFolder(settings.dataDir);
  try {
    const database = await EmbeddedPostgres.start(settings.dataDir);
    try {
      return await runShop(settings, database.url);
    } finally {
      await database.stop();
    }
  } finally {
    await giveUp();
  }
}

/** Starts the application and closes it at the end. The database outlives it, so running jobs can finish. */
async function runShop(settings: Settings, databaseUrl: string): Promise<number> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(settings, databaseUrl), {
    logger: ['error', 'fatal'], // keeps the terminal free for the progress
    abortOnError: false,
  });
  try {
    const port = settings.once ? undefined : await listen(app, settings);
    await app.init();
    const loaded = await app.get(OrdersImporter).load(ORDERS_FILE, settings.orders);
    console.log(
      loaded === 0 ? 'The orders are here already.' : `Loaded ${loaded} orders, with a job for each.`,
    );
    const backlog = app.get(BacklogService);
    await watchBacklog(backlog, stopping.signal);
    const report = await app.get(ReportsService).makeNow(stopping.signal);
    if (stopping.signal.aborted) return 0;
    if (report !== null) printReport(report);
    printJoined(await app.get(RemindersService).countSent(), await app.get(CustomersService).counts());
    const problems = await printSummary(backlog);
    if (settings.once) return problems.length === 0 ? 0 : 1;
    console.log(`Serving on http://localhost:${port} — Ctrl-C stops.`);
    console.log(`The dashboard is on http://localhost:${port}/${DASHBOARD_PATH}: ${loginOf(settings)}.`);
    await stopped();
    return 0;
  } finally {
    if (stopping.signal.aborted) console.log('Stopping: running jobs are finished first.');
    await app.close();
  }
}

/** @returns the port; another one than the settings say where they say 0 */
async function listen(app: NestExpressApplication, { port }: Settings): Promise<number> {
  try {
    await app.listen(port);
    return ((app.getHttpServer() as Server).address() as AddressInfo).port;
  } catch (cause) {
    throw new Error(`Cannot listen on port ${port}. Choose another one: PORT=3001 npm start`, { cause });
  }
}

function stopped(): Promise<void> {
  if (stopping.signal.aborted) return Promise.resolve();
  return new Promise((resolve) => stopping.signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** A password that somebody has chosen is not printed. */
function loginOf({ adminPassword }: Settings): string {
  return process.env.ADMIN_PASSWORD === undefined
    ? `name ${ADMIN}, password ${adminPassword}`
    : `name ${ADMIN}, password as in ADMIN_PASSWORD`;
}
