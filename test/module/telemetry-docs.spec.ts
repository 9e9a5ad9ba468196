import 'reflect-metadata';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { Registry } from 'prom-client';
import { COUNTERS, GAUGES, HISTOGRAMS, type MetricDefinition } from '../../lib/metrics/metric.js';
import { prometheusName } from '../../lib/prometheus/prometheus-name.js';
import { jobsMetrics } from '../../lib/prometheus/index.js';
import { ATTRIBUTE } from '../../lib/telemetry/attributes.js';
import { TELEMETRY_RULES } from '../../lib/telemetry/telemetry-options.js';
import { JobsTestingModule } from '../../lib/testing/index.js';
import { MemoryLogger } from '../support/memory-logger.js';

const read = () => readFile(join(import.meta.dirname, '../../docs/telemetry.md'), 'utf8');

/** The first cells of a table whose header begins with this. */
const rowsOf = (page: string, header: string) => {
  const [, table] = page.split(`\n${header}`);
  return table!.split('\n\n')[0]!.split('\n').slice(2);
};

const UNITS = { s: 's', '{message}': 'jobs', '{job}': 'jobs', '{worker}': 'workers' };

describe('docs/telemetry.md', () => {
  it('has a row for each metric, with its names, its type and its unit', async () => {
    const rows = rowsOf(await read(), '| OpenTelemetry | Prometheus | Type |');
    const row = (definition: MetricDefinition, type: string) =>
      `| \`${definition.name}\` | \`${prometheusName(definition, type === 'counter')}\` | ${type} | ${UNITS[definition.unit]} |`;
    const wanted = [
      ...Object.values(COUNTERS).map((definition) => row(definition, 'counter')),
      ...Object.values(HISTOGRAMS).map((definition) => row(definition, 'histogram')),
      ...Object.values(GAUGES).map((definition) => row(definition, 'gauge')),
    ];
    const found = rows.map((text) => text.split(' | ').slice(0, 4).join(' | ') + ' |');
    expect(found.toSorted()).toEqual(wanted.toSorted());
  });

  it('names every attribute', async () => {
    const page = await read();
    const missing = Object.values(ATTRIBUTE).filter((name) => !page.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });

  it('has a row for each option of JobsTelemetryModule', async () => {
    const rows = rowsOf(await read(), '| Option | Default | Meaning |');
    expect(rows.map((text) => /^\| `(\w+)`/.exec(text)![1])).toEqual(Object.keys(TELEMETRY_RULES));
  });

  it('has five alerts, on metrics that there are', async () => {
    const page = await read();
    const [, alerts] = page.split('\n## Five alerts\n');
    expect(alerts!.match(/- alert: /g)).toHaveLength(5);
    const register = new Registry();
    const app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot({ logger: new MemoryLogger() })],
    }).compile();
    jobsMetrics(register, app)();
    const names = register.getMetricsAsArray().map(({ name }) => name);
    const used = [...alerts!.matchAll(/\b(?:messaging|nestjs_typeorm_jobs)_\w+_\w+/g)].map(([name]) => name);
    const known = [
      ...names,
      ...names.map((name) => `${name}_count`),
      'messaging_destination_name',
      'nestjs_typeorm_jobs_outcome',
    ];
    expect(new Set(used).size).toBeGreaterThan(5);
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
    await app.close();
  });
});
