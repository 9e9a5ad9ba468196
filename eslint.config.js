import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

const DATABASE_ROOMS = 'lib/storage/{postgres,mysql,sqlite}/**/*.ts';
const SQL_TEXT = String.raw`/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|LISTEN|UNLISTEN|DISCARD)\s/`;
/** A text that begins as SQL does. */
const SQL = {
  selector: `Literal[value=${SQL_TEXT}], TemplateElement[value.raw=${SQL_TEXT}]`,
  message: `SQL stands in ${DATABASE_ROOMS} alone.`,
};
const TIMERS = ['setTimeout', 'setInterval'];
const TIMERS_MESSAGE = 'Timers are in lib/async alone; use what is there.';
const CHANCE = {
  selector: "MemberExpression[object.name='Math'][property.name='random']",
  message: 'Chance comes from lib/async/pauses.ts, or as a parameter.',
};

export default tseslint.config(
  { ignores: ['dist*', 'coverage', '**/dist/**', 'test/package/apps'] },
  eslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
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
    files: ['lib/**/*.{ts,tsx}'],
    rules: {
      'max-lines-per-function': ['error', { max: 45, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-restricted-types': [
        'error',
        {
          types: {
            ErrorOptions: 'An application with the library of ES2021 does not have it: use WithCause.',
          },
        },
      ],
    },
  },
  {
    files: ['lib/**/*.{ts,tsx}'],
    rules: { 'no-restricted-syntax': ['error', SQL, CHANCE] },
  },
  {
    files: [DATABASE_ROOMS],
    rules: { 'no-restricted-syntax': ['error', CHANCE] },
  },
  {
    files: ['lib/**/*.{ts,tsx}'],
    ignores: ['lib/async/**', 'lib/dashboard/ui/page/timers.ts'],
    rules: {
      'no-restricted-globals': ['error', ...TIMERS.map((name) => ({ name, message: TIMERS_MESSAGE }))],
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:timers', 'node:timers/promises', 'timers', 'timers/promises'].map((name) => ({
            name,
            importNames: TIMERS,
            message: TIMERS_MESSAGE,
          })),
        },
      ],
    },
  },
  {
    files: ['lib/async/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', SQL] },
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
          'AbortController',
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
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.property.name="each"] Identifier[name=/^(servers|sqlite|oneOfEach|pooled|ofType)$/]',
          message: 'Use describeOn: a server may be missing, and its tests are to be listed as skipped.',
        },
        {
          selector: 'MemberExpression[computed=true][object.name=/^(servers|sqlite|oneOfEach|pooled)$/]',
          message: 'Use anyServer() or describeOn: a server may be missing.',
        },
      ],
      'max-lines': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
);
