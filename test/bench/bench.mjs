import { ActorProcess } from './actor-process.mjs';
import { CONTENDERS } from './contenders.mjs';
import { cpuMsOf } from './cpu.mjs';
import { queryOnce } from './servers/postgres.mjs';

/** What a scenario works with: contenders, their stores, how much to do, and where to put what it has measured. */
export class Bench {
  /**
   * @param stores the servers that are there, by name
   * @param urls of the databases on them
   */
  constructor({ stores, urls, sizes, records }) {
    this.stores = stores;
    this.urls = urls;
    this.sizes = sizes;
    this.records = records;
  }

  /** A contender in this process, which fills its tables and judges what others have done. */
  async judge(name, settings = {}) {
    const judge = CONTENDERS[name].make(this.#settingsOf(name, settings));
    await judge.open();
    return judge;
  }

  /** A process that is to be measured. */
  actor(name, { settings = {}, ...options } = {}) {
    return ActorProcess.start({ name, settings: this.#settingsOf(name, settings), ...options });
  }

  storeOf(name) {
    return this.stores[CONTENDERS[name].store];
  }

  /** CPU time so far, in milliseconds; null where it cannot be told. */
  storeCpuMs(name) {
    return cpuMsOf(this.storeOf(name)?.pid);
  }

  /** What earlier work has left for the server to do is done now, and not while the next is measured. */
  async settleDown(name, settings = {}) {
    if (CONTENDERS[name].store !== 'postgres') return;
    const { postgresUrl } = this.#settingsOf(name, settings);
    await queryOnce(postgresUrl, 'VACUUM (ANALYZE)');
    await queryOnce(postgresUrl, 'CHECKPOINT').catch(() => {}); // only for superusers
  }

  #settingsOf(name, settings) {
    const { postgresUrl, redisUrl, mariadbUrl } = this.urls;
    const url = { postgres: { postgresUrl }, redis: { redisUrl }, mariadb: { mariadbUrl } }[
      CONTENDERS[name].store
    ];
    return { ...url, ...settings };
  }
}
