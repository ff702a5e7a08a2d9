// One dialect for every script of the project: classic scripts of ES2021, strict, checked by ESLint. Made of
// ESLint's own rules, so that it needs no other package: `npx eslint@10.15.0 .`.

// Mistakes.
const MISTAKES = [
  'array-callback-return', 'constructor-super', 'for-direction', 'getter-return', 'no-async-promise-executor',
  'no-case-declarations', 'no-class-assign', 'no-compare-neg-zero', 'no-cond-assign', 'no-const-assign',
  'no-constant-binary-expression', 'no-constant-condition', 'no-constructor-return', 'no-control-regex',
  'no-debugger', 'no-delete-var', 'no-dupe-args', 'no-dupe-class-members', 'no-dupe-else-if', 'no-dupe-keys',
  'no-duplicate-case', 'no-empty', 'no-empty-character-class', 'no-empty-pattern', 'no-ex-assign', 'no-fallthrough',
  'no-func-assign', 'no-global-assign', 'no-import-assign', 'no-invalid-regexp', 'no-irregular-whitespace',
  'no-loss-of-precision', 'no-misleading-character-class', 'no-new-native-nonconstructor', 'no-obj-calls', 'no-octal',
  'no-promise-executor-return', 'no-prototype-builtins', 'no-redeclare', 'no-regex-spaces', 'no-self-assign',
  'no-self-compare', 'no-setter-return', 'no-shadow-restricted-names', 'no-sparse-arrays', 'no-template-curly-in-string',
  'no-this-before-super', 'no-undef', 'no-unexpected-multiline', 'no-unmodified-loop-condition', 'no-unreachable',
  'no-unreachable-loop', 'no-unsafe-finally', 'no-unsafe-negation', 'no-unsafe-optional-chaining',
  'no-unused-expressions', 'no-unused-labels', 'no-unused-private-class-members', 'no-unused-vars',
  'no-useless-assignment', 'no-useless-backreference', 'no-useless-catch', 'no-useless-escape', 'no-with',
  'preserve-caught-error', 'require-yield', 'use-isnan', 'valid-typeof'
];
// One way to say a thing.
const DIALECT = [
  'arrow-body-style', 'default-param-last', 'dot-notation', 'eqeqeq', 'no-array-constructor', 'no-else-return',
  'no-eval', 'no-extra-boolean-cast', 'no-implied-eval', 'no-lone-blocks', 'no-lonely-if', 'no-multi-assign',
  'no-new-func', 'no-new-wrappers', 'no-object-constructor', 'no-sequences', 'no-shadow', 'no-throw-literal',
  'no-undef-init', 'no-unneeded-ternary', 'no-useless-computed-key', 'no-useless-concat', 'no-useless-rename',
  'no-useless-return', 'no-var', 'object-shorthand', 'one-var-declaration-per-line', 'operator-assignment',
  'prefer-arrow-callback', 'prefer-const', 'prefer-exponentiation-operator', 'prefer-object-has-own',
  'prefer-object-spread', 'prefer-rest-params', 'prefer-spread', 'prefer-template', 'symbol-description',
  'vars-on-top', 'yoda'
];

const rules = {
  ...Object.fromEntries([...MISTAKES, ...DIALECT].map(name => [name, 'error'])),
  camelcase: ['error', { properties: 'never', ignoreDestructuring: true }],
  complexity: ['error', 16],
  curly: ['error', 'multi-line'],
  'func-style': ['error', 'declaration', { allowArrowFunctions: true }],
  'max-depth': ['error', 3],
  'max-lines': ['error', { max: 200, skipBlankLines: true, skipComments: true }],
  'no-multi-assign': ['error', { ignoreNonDeclaration: true }],
  'one-var': ['error', 'never'],
  'prefer-const': ['error', { destructuring: 'all' }],
  strict: ['error', 'safe']
};

const named = (names, access) => Object.fromEntries(names.map(name => [name, access]));
const browser = named(['document', 'history', 'location', 'navigator', 'window'], 'readonly');

export default [
  { linterOptions: { reportUnusedDisableDirectives: 'error' }, rules },
  {
    // Scripts of pages, which must work from a disk: no request, and one name that is known everywhere.
    files: ['themes/**/*.js'],
    languageOptions: {
      ecmaVersion: 2021,
      sourceType: 'script',
      globals: {
        ...browser,
        ...named(['unitAtlas', 'Blob', 'Event', 'FileReader', 'IntersectionObserver', 'URL', 'URLSearchParams',
          'clearTimeout', 'getSelection', 'performance', 'requestAnimationFrame', 'setTimeout'], 'readonly')
      }
    },
    rules: {
      'no-implicit-globals': ['error', { lexicalBindings: true }],
      'no-restricted-properties': ['error', ...['fetch', 'EventSource', 'WebSocket', 'Worker', 'XMLHttpRequest', 'open']
        .map(property => ({ object: 'window', property, message: 'A page from a disk may request nothing.' }))],
      'no-restricted-syntax': ['error', { selector: 'ImportExpression', message: 'A page from a disk loads no module.' }]
    }
  },
  {
    // Scripts that servers put into pages, and the shell of a single file: both are about requests or none.
    files: ['src/**/*.js'],
    languageOptions: {
      ecmaVersion: 2021,
      sourceType: 'script',
      globals: {
        ...browser,
        ...named(['Blob', 'DOMParser', 'DecompressionStream', 'Response', 'TextDecoder', 'TextEncoder', 'URL', 'atob',
          'crypto', 'parent', 'setTimeout'], 'readonly')
      }
    },
    rules: { 'no-implicit-globals': ['error', { lexicalBindings: true }] }
  },
  {
    files: ['tests/scripts/**/*.js'],
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: 'commonjs',
      globals: named(['__dirname', 'require', 'module'], 'readonly')
    },
    rules: { 'max-lines': 'off' }
  },
  { files: ['**/*.mjs'], languageOptions: { ecmaVersion: 2024, sourceType: 'module' } },
  { ignores: ['output/**', 'target/**', 'shared/**', 'themes/**/vendor/**'] }
];
