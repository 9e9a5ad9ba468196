import { createRequire } from 'node:module';
import { CONTENDERS } from './contenders.mjs';
import { queryMariadb } from './servers/mariadb.mjs';
import { queryOnce } from './servers/postgres.mjs';

const ASK = {
  postgres: ({ postgresUrl }, text) => queryOnce(postgresUrl, text),
  mariadb: ({ mariadbUrl }, text) => queryMariadb(mariadbUrl, text),
  sqlite: ({ sqliteFile }, text) => querySqlite(sqliteFile, text),
};

/** Sends a statement past a contender to its store. @returns the rows, where the store is a server */
export function query(bench, contender, text) {
  return ASK[storeOf(contender)](bench.urls, text);
}

export function storeOf(contender) {
  return CONTENDERS[contender].store;
}

function querySqlite(file, text) {
  const Database = createRequire(import.meta.url)('better-sqlite3');
  const database = new Database(file);
  try {
    database.exec(text);
  } finally {
    database.close();
  }
}
