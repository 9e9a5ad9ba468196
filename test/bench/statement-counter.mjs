import { connect, createServer } from 'node:net';

/** A proxy between a client and PostgreSQL that counts the statements sent: simple queries and executions. */
export class StatementCounter {
  count = 0;
  #server;
  #sockets = new Set();

  /** @returns the counter, whose `url` leads to the same database */
  static async start(url) {
    const counter = new StatementCounter();
    const target = new URL(url);
    counter.#server = createServer((client) => counter.#join(client, target));
    await new Promise((resolve) => counter.#server.listen(0, '127.0.0.1', resolve));
    const here = new URL(url);
    here.host = `127.0.0.1:${counter.#server.address().port}`;
    counter.url = here.href;
    return counter;
  }

  stop() {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(client, { hostname, port }) {
    const server = connect({ host: hostname, port: Number(port) });
    const messages = new FrontendMessages((type) => {
      if (type === 'Q' || type === 'E') this.count += 1;
    });
    client.on('data', (chunk) => messages.read(chunk));
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => [client, server].forEach((end) => end.destroy()));
    }
  }
}

/**
 * Cuts what a client sends into messages. A message is one byte for its type, a length, and its body. The first message
 * has no type.
 */
class FrontendMessages {
  #rest = Buffer.alloc(0);
  #isFirst = true;

  constructor(onMessage) {
    this.onMessage = onMessage;
  }

  read(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const head = this.#isFirst ? 0 : 1;
      if (this.#rest.length < head + 4) return;
      const size = head + this.#rest.readUInt32BE(head);
      if (this.#rest.length < size) return;
      if (!this.#isFirst) this.onMessage(String.fromCharCode(this.#rest[0]));
      this.#isFirst = false;
      this.#rest = this.#rest.subarray(size);
    }
  }
}
