/*
 * Who may import whom. Imports run one way, types included: each room may import the rooms that it lists here, and nothing
 * else. CONTRIBUTING.md says what each room is for.
 */
const ROOMS = {
  async: [],
  job: ['async'],
  events: ['async', 'job'],
  queue: ['job'],
  schedules: ['async', 'job', 'events', 'queue'],
  execution: ['async', 'job', 'events', 'queue'],
  worker: ['async', 'job', 'events', 'queue', 'execution'],
  'storage/sql': ['async', 'job', 'events', 'queue'],
  'storage/transactions': ['async', 'job', 'events', 'queue', 'storage/sql'],
  'storage/postgres': ['async', 'job', 'events', 'queue', 'storage/sql'],
  'storage/mysql': ['async', 'job', 'events', 'queue', 'storage/sql'],
  'storage/sqlite': ['async', 'job', 'events', 'queue', 'storage/sql'],
  'storage/memory': ['async', 'job', 'events', 'queue', 'execution', 'storage/sql', 'storage/transactions'],
  'storage/typeorm': [
    ...['async', 'job', 'events', 'queue', 'execution'],
    ...['storage/sql', 'storage/transactions', 'storage/postgres', 'storage/mysql', 'storage/sqlite'],
  ],
  outbox: ['async', 'job', 'events', 'queue'],
  client: ['async', 'job', 'events', 'queue', 'schedules', 'outbox'],
  maintenance: ['async', 'job', 'events', 'queue'],
  nest: [
    ...['async', 'job', 'events', 'queue', 'schedules', 'execution', 'worker', 'storage/typeorm', 'client'],
    ...['outbox', 'maintenance'],
  ],
  metrics: ['async', 'job', 'events', 'client'],
  adapters: ['job', 'queue'],
  testing: [
    ...['async', 'job', 'events', 'queue', 'schedules', 'execution', 'worker'],
    ...['storage/memory', 'client', 'maintenance', 'nest'],
  ],
  dashboard: ['async', 'job', 'queue', 'schedules', 'execution', 'client', 'nest'],
  telemetry: ['job', 'events', 'nest', 'metrics'],
  prometheus: ['job', 'nest', 'metrics'],
  health: ['async', 'job', 'events', 'queue', 'worker', 'client', 'nest'],
  cli: ['async', 'job', 'events', 'queue', 'schedules', 'storage/typeorm', 'client', 'outbox', 'nest'],
};

/** The rooms that may import from Nest. */
const NEST_ROOMS = ['nest', 'adapters', 'testing', 'dashboard', 'telemetry', 'prometheus', 'health', 'cli'];

const pathOf = (rooms) => `^lib/(${rooms.join('|')})/`;

const roomRules = Object.entries(ROOMS).map(([room, allowed]) => ({
  name: `room-${room.replace('/', '-')}`,
  comment: `lib/${room} imports ${allowed.length === 0 ? 'no other room' : `only ${allowed.join(', ')}`}.`,
  severity: 'error',
  from: { path: pathOf([room]) },
  to: { path: '^lib/', pathNot: pathOf([room, ...allowed]) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...roomRules,
    {
      name: 'every-file-has-a-room',
      comment: 'A file of lib lies in one of the rooms; only index.ts lies beside them.',
      severity: 'error',
      from: { path: '^lib/', pathNot: [pathOf(Object.keys(ROOMS)), '^lib/index\\.ts$'] },
      to: {},
    },
    {
      name: 'no-circle',
      comment: 'Two files that import each other, be it over others, are one file in two parts.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { circular: true },
    },
    {
      name: 'nest-at-the-edge',
      comment: `Only ${NEST_ROOMS.join(', ')} import from Nest.`,
      severity: 'error',
      from: { path: '^lib/', pathNot: pathOf(NEST_ROOMS) },
      to: { path: '(^|node_modules/)@nestjs/' },
    },
    {
      name: 'typeorm-in-storage',
      comment: 'Only storage works with TypeORM; other rooms import its types alone.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/storage/' },
      to: { path: '(^|node_modules/)typeorm/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'croner-in-one-file',
      comment: 'Cron expressions are read in one place.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/schedules/occurrences\\.ts$' },
      to: { path: '(^|node_modules/)croner/' },
    },
    {
      name: 'pages-stand-apart',
      comment:
        'The pages of the dashboard run in the browser: of lib they see what the server says to them, as types.',
      severity: 'error',
      from: { path: '^lib/dashboard/ui/' },
      to: { path: '^lib/', pathNot: '^lib/dashboard/(ui|api)/' },
    },
    {
      name: 'pages-are-bundled',
      comment: 'Nothing else imports the pages: the package has them as a bundle.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/dashboard/ui/' },
      to: { path: ['^lib/dashboard/ui/', '(^|node_modules/)(preact|cronstrue)/'] },
    },
    {
      name: 'opentelemetry-in-telemetry',
      comment: 'An application without OpenTelemetry loads none of it.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/telemetry/' },
      to: { path: '(^|node_modules/)@opentelemetry/' },
    },
    {
      name: 'prom-client-in-prometheus',
      comment: 'An application without prom-client does not load it.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/prometheus/' },
      to: { path: '(^|node_modules/)prom-client/' },
    },
    {
      name: 'sub-paths-stand-apart',
      comment: 'The main entry imports no room that is a sub-path of the package by itself.',
      severity: 'error',
      from: { path: '^lib/index\\.ts$' },
      to: {
        path: pathOf([
          'adapters',
          'testing',
          'dashboard',
          'metrics',
          'telemetry',
          'prometheus',
          'health',
          'cli',
        ]),
      },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types'],
    },
  },
};
