import { fork } from 'node:child_process';

const ACTOR = new URL('./actor.mjs', import.meta.url);

/** The runner's side of an actor. */
export class ActorProcess {
  runs = 0;
  #waiting = new Map();
  #next = 0;
  #process;
  #gone;
  #onProgress = () => {};

  /** @param options the arguments of the actor's command `open` */
  static async start(options) {
    const actor = new ActorProcess();
    await actor.call('open', options);
    return actor;
  }

  constructor() {
    this.#process = fork(ACTOR, { execArgv: ['--no-warnings'] });
    this.#process.on('message', (message) => this.#received(message));
    this.#gone = new Promise((resolve) => this.#process.once('exit', resolve));
    void this.#gone.then((code) => this.#failAll(new Error(`A measured process ended with code ${code}.`)));
  }

  call(command, args) {
    return new Promise((resolve, reject) => {
      this.#next += 1;
      this.#waiting.set(this.#next, { resolve, reject });
      this.#process.send({ id: this.#next, command, args });
    });
  }

  /** Calls `listener` whenever the actor has reported how many handlers have run. */
  onProgress(listener) {
    this.#onProgress = listener;
  }

  async close() {
    const closing = this.call('close').catch(() => {});
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    await this.#gone;
    await closing;
    clearTimeout(kill);
  }

  #received({ id, result, error, runs }) {
    if (runs !== undefined) {
      this.runs = runs;
      this.#onProgress();
      return;
    }
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  }

  #failAll(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
