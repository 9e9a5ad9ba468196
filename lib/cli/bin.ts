#!/usr/bin/env node
import 'reflect-metadata';
import process from 'node:process';
import { runCli } from './main.js';
import { processTerminal } from './terminal.js';

const ending = new AbortController();
process.once('SIGINT', () => ending.abort());
process.once('SIGTERM', () => ending.abort());

void runCli(process.argv.slice(2), {
  terminal: processTerminal,
  databaseUrl: process.env.DATABASE_URL,
  signal: ending.signal,
}).then((code) => {
  process.exitCode = code;
});
