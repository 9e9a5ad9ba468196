import pg from 'pg';
import { Floor } from './floor.mjs';

const CHANNEL = 'floor_jobs';
const INSERT_AND_NOTIFY = {
  name: 'insert_and_notify',
  text: `
    WITH inserted AS (INSERT INTO floor_jobs (kind, payload) VALUES ('bench', $1))
    SELECT pg_notify('${CHANNEL}', '')`,
};

/** How soon the database can start a job, with LISTEN on its own connection and NOTIFY in the insert statement. */
export class ListeningFloor extends Floor {
  constructor(urls) {
    super(urls);
    this.batch = 10;
  }

  async enqueue(payload) {
    await this.pool.query({ ...INSERT_AND_NOTIFY, values: [payload] });
  }

  async work() {
    this.resting = false;
    this.working = Promise.resolve();
    this.listener = new pg.Client(this.url);
    this.listener.on('notification', () => this.wake());
    await this.listener.connect();
    await this.listener.query(`LISTEN ${CHANNEL}`);
  }

  async rest() {
    await this.listener.end();
    await super.rest();
  }

  wake() {
    this.isWoken = true;
    this.isAwake ??= this.workOff().finally(() => {
      this.isAwake = undefined;
    });
    this.working = this.isAwake;
  }

  async workOff() {
    while (this.isWoken) {
      this.isWoken = false;
      await this.lane(); // until nothing is left
    }
  }
}
