import eslint from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Imports run one way: job <- queue <- worker <- root files. */
const forbid = (...groups) => ({
  '@typescript-eslint/no-restricted-imports': [
    'error',
    {
      patterns: groups.map(([group, message, allowTypeImports = false]) => ({
        group,
        message,
        allowTypeImports,
      })),
    },
  ],
});
const NEST = [['@nestjs/*'], 'Only the files at the root of lib, and lib/testing, know Nest.'];
const TESTING = [
  ['**/testing/*', '**/testing.js'],
  'lib/testing stands on the core, which knows nothing of it.',
];
const TYPEORM = [
  ['typeorm', 'typeorm/*'],
  'Only lib/queue works with TypeORM; elsewhere import its types alone.',
  true,
];

export default tseslint.config(
  { ignores: ['dist', 'dist-cjs', 'coverage', '**/dist/**', 'test/package/apps'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
    },
    rules: {
      'import-x/no-cycle': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-extraneous-class': [
        'error',
        { allowWithDecorator: true, allowStaticOnly: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off', // TypeORM wants literals of its options classes
      '@typescript-eslint/no-non-null-assertion': 'off', // noUncheckedIndexedAccess asks for them where a length is known
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'max-lines': ['error', { max: 260, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['lib/**/*.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 45, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['lib/job/**/*.ts'],
    rules: forbid(NEST, TYPEORM, TESTING, [
      ['**/queue/*', '**/worker/*', '../*.js'],
      'lib/job imports nothing but Node.',
    ]),
  },
  {
    files: ['lib/queue/**/*.ts'],
    rules: forbid(NEST, TESTING, [['**/worker/*', '../*.js'], 'lib/queue imports only lib/job.']),
  },
  {
    files: ['lib/worker/**/*.ts'],
    rules: forbid(NEST, TYPEORM, TESTING, [['../*.js'], 'lib/worker imports only lib/job and lib/queue.']),
  },
  {
    files: ['lib/*.ts'],
    ignores: ['lib/testing.ts'],
    rules: forbid(TESTING),
  },
  {
    files: ['lib/testing/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['typeorm', 'typeorm/*', '!@nestjs/typeorm'],
              message: TYPEORM[1],
              allowTypeImports: true,
            },
          ],
        },
      ],
    },
  },
  {
    files: ['lib/**/*.statements.ts', 'lib/**/*.schema.ts'],
    rules: { 'max-lines-per-function': 'off' }, // one object of literal SQL
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'console',
          'process',
          'URL',
          'Buffer',
          'performance',
          'setTimeout',
          'clearTimeout',
          'setInterval',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['sample/**/*.ts'],
    rules: {
      '@typescript-eslint/no-misused-spread': 'off', // entities and DTOs are plain data
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
);
