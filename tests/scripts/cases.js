// The cases of tests/answers.json, which tests/answers.rs holds import and collection to.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const table = JSON.parse(fs.readFileSync(path.join(__dirname, '../answers.json'), 'utf8'));

// A value with what it stands for: `$answer` for the usual answer, `{ "$text": [text, n] }` for a text n times over,
// `{ "$list": [value, n] }` for a list of n.
function expanded(value) {
  if (value === '$answer') return table.answer;
  if (Array.isArray(value)) return value.map(expanded);
  if (!value || typeof value !== 'object') return value;
  if (value.$text) return value.$text[0].repeat(value.$text[1]);
  if (value.$list) return Array(value.$list[1]).fill(expanded(value.$list[0]));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, expanded(one)]));
}

// What a case is about: the usual answer or file, with some things and without others.
function caseOf(usual, { with: put = {}, without = [] }) {
  const value = { ...expanded(usual), ...expanded(put) };
  without.forEach(key => { delete value[key]; });
  return value;
}

module.exports = { table, caseOf };
