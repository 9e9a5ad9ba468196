import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

describe('The proxy of the tests', () => {
  let server: Server;
  let proxy: TcpProxy;
  let client: Socket;
  /** What the server got, and what the client got. */
  let asked: string;
  let answered: string;
  let isClosed: boolean;

  beforeEach(async () => {
    [asked, answered, isClosed] = ['', '', false];
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        asked += data.toString();
        socket.write(data.toString().toUpperCase());
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await TcpProxy.start(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client = connect({ host: '127.0.0.1', port: Number(new URL(proxy.url).port), noDelay: true });
    client.on('data', (data) => (answered += data.toString()));
    client.on('error', () => undefined);
    client.on('close', () => (isClosed = true));
    await once(client, 'connect');
  });

  afterEach(async () => {
    client.destroy();
    await proxy.cut();
    server.close();
  });

  const say = async (text: string) => {
    client.write(text);
    await until(() => asked.endsWith(text));
  };

  it('passes on what both sides say', async () => {
    await say('a');
    await until(() => answered === 'A');
  });

  it('keeps the order of what is on its way when the latency falls', async () => {
    let latencyMs = 100;
    let pieces = 0;
    Object.defineProperty(proxy, 'latencyMs', { get: () => (pieces++, latencyMs) });
    client.write('slow ');
    await until(() => pieces > 0);
    latencyMs = 0;
    client.write('fast ');
    await until(() => answered === 'SLOW FAST ');
    expect(asked).toBe('slow fast ');
  });

  it('loses answers to requests that arrive', async () => {
    proxy.dropsAnswers = true;
    await say('lost ');
    await say('request '); // the proxy has met the answer to the first by now
    proxy.dropsAnswers = false;
    await say('heard');
    await until(() => answered.endsWith('HEARD'));
    expect(answered).not.toContain('LOST');
  });

  it('holds everything back until it is released', async () => {
    await say('a');
    await until(() => answered === 'A');
    proxy.hold();
    client.write('b');
    const other = connect({ host: '127.0.0.1', port: Number(new URL(proxy.url).port) });
    await until(() => proxy.size === 2);
    other.write('c');
    expect(asked).toBe('a');
    proxy.release();
    await until(() => asked.includes('b') && asked.includes('c'));
    other.destroy();
  });

  it('resets connections, and takes new ones', async () => {
    await say('a');
    proxy.resetAll();
    await until(() => isClosed);
    client = connect({ host: '127.0.0.1', port: Number(new URL(proxy.url).port) });
    client.on('data', (data) => (answered += data.toString()));
    await say('b');
    await until(() => answered.endsWith('B'));
  });
});
