import { ActorProcess } from './actor-process.mjs';
import { CONTENDERS } from './contenders.mjs';
import { cpuMsOf } from './cpu.mjs';
import { queryOnce } from './servers/postgres.mjs';

/** What a scenario works with: the contenders, their stores, the sizes, and the records for its measurements. */
export class Bench {
  /**
   * @param stores the available servers, by name; null if a server is missing
   * @param urls the URLs of the databases on them
   */
  constructor({ stores, urls, sizes, records }) {
    this.stores = stores;
    this.urls = urls;
    this.sizes = sizes;
    this.records = records;
  }

  /** A contender in this process. It fills the tables and checks what the measured processes have done. */
  async judge(name, settings = {}) {
    const judge = CONTENDERS[name].make(this.#settingsOf(name, settings));
    await judge.open();
    return judge;
  }

  /** Starts a process to be measured. */
  actor(name, { settings = {}, ...options } = {}) {
    return ActorProcess.start({ name, settings: this.#settingsOf(name, settings), ...options });
  }

  storeOf(name) {
    return this.stores[CONTENDERS[name].store];
  }

  /** The store's CPU time so far, in milliseconds; null if it is unknown. */
  storeCpuMs(name) {
    return cpuMsOf(this.storeOf(name)?.pid);
  }

  /** Lets the server finish what earlier work has left to do, so that it does not disturb the next measurement. */
  async settleDown(name, settings = {}) {
    if (CONTENDERS[name].store !== 'postgres') return;
    const { postgresUrl } = this.#settingsOf(name, settings);
    await queryOnce(postgresUrl, 'VACUUM (ANALYZE)');
    await queryOnce(postgresUrl, 'CHECKPOINT').catch(() => {}); // only for superusers
  }

  #settingsOf(name, settings) {
    const { postgresUrl, redisUrl, mariadbUrl, sqliteFile } = this.urls;
    const url = {
      postgres: { postgresUrl },
      redis: { redisUrl },
      mariadb: { mariadbUrl },
      sqlite: { sqliteFile },
    }[CONTENDERS[name].store];
    return { ...url, ...settings };
  }
}
