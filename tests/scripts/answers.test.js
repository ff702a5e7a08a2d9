// The survey keeps to the rules of answers in tests/answers.json, as import and collection do (tests/answers.rs).
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { load } = require('./load.js');
const { table, caseOf } = require('./cases.js');

const { survey } = load('page', 'survey-study', 'survey-answers', 'survey-order', 'survey-file');
const { answers, file } = survey;

const study = survey.study({
  study: table.file.study,
  lexicon: table.file.lexicon,
  blind: false,
  repeats: 0.5,
  groups: [{ category: 'Any', terms: table.terms.map(id => ({ id, name: id, gloss: '', synonyms: [] })) }],
  units: [1, 2, 3, 4].map(n => ({ code: `u-${n}`, name: `alexnet/conv5/000${n}`, patches: [] }))
});

// `whole`, `open` where something is lacking, or `refused`, with the words why.
function verdict(read) {
  try {
    const given = read();
    return { is: given && answers.lacking(given) ? 'open' : 'whole' };
  } catch (error) {
    return { is: 'refused', words: error.message };
  }
}

table.answers.forEach(one => {
  test(`an answer: ${one.case}`, () => {
    const { is, words } = verdict(() => answers.read(study, caseOf(table.answer, one)).answer);
    assert.equal(is, one.survey || one.is, words);
  });
});

table.files.forEach(one => {
  test(`a file: ${one.case}`, () => {
    const { is, words } = verdict(() => { file.read(study, JSON.stringify(caseOf(table.file, one))); });
    assert.equal(is, one.is, words);
  });
});

table.merges.forEach(one => {
  test(`of two answers: ${one.case}`, () => {
    const times = given => (given && typeof given === 'object' ? given : { answered_at: given });
    const of = (remarks, given) => answers.read(study, { ...table.answer, remarks, ...times(given) }).answer;
    const record = { answers: { 'u-1': of('here', one.here) } };
    file.merge(study, record, { 'u-1': of('given', one.given) });
    assert.equal(record.answers['u-1'].remarks, one.stands);
  });
});

test('what the survey writes it reads again as it was', () => {
  const whole = table.answers.filter(one => (one.survey || one.is) === 'whole');
  assert.ok(whole.length > 20);
  whole.forEach(one => {
    const { slot, answer } = answers.read(study, caseOf(table.answer, one));
    const written = answers.written(study, slot, answer);
    const again = answers.read(study, JSON.parse(JSON.stringify({ ...written, answered_at: written.answered_at || null })));
    assert.deepEqual(again, { slot, answer: { ...answer, seconds: Math.round(answer.seconds) } }, one.case);
  });
});

test('the page offers what the rules allow, and no longer texts', () => {
  const page = fs.readFileSync(path.join(__dirname, '../../themes/default/templates/survey.html'), 'utf8');
  const all = form => [...page.matchAll(form)].map(found => found[1]);
  const offered = name => all(new RegExp(`<input type="radio" name="${name}" value="(\\w+)"`, 'g'));
  const reads = changes => verdict(() => answers.read(study, { ...table.answer, ...changes }).answer).is;
  assert.deepEqual(offered('recognizable'), ['yes', 'no', 'unsure']);
  offered('recognizable').forEach(recognizable => {
    assert.equal(reads({ recognizable, phenomena: recognizable === 'no' ? [] : table.answer.phenomena }), 'whole');
  });
  assert.deepEqual(offered('association'), ['malignant', 'benign', 'none', 'unsure']);
  offered('association').forEach(association => {
    assert.equal(reads({ phenomena: [{ ...table.answer.phenomena[0], association }] }), 'whole');
  });
  assert.equal(offered('confidence').length, 5);
  offered('confidence').forEach(confidence => assert.equal(reads({ confidence: Number(confidence) }), 'whole'));
  const lengths = all(/<textarea[^>]*maxlength="(\d+)"/g).map(Number);
  assert.equal(lengths.length, 2);
  lengths.forEach(length => {
    assert.deepEqual([length, length + 1].map(n => reads({ remarks: 'x'.repeat(n) })), ['whole', 'refused']);
  });
  const [name] = all(/<input id="survey-name"[^>]*maxlength="(\d+)"/g).map(Number);
  const named = reader => verdict(() => { file.read(study, JSON.stringify({ ...table.file, reader, answers: [] })); }).is;
  assert.deepEqual([name, name + 1].map(n => named('x'.repeat(n))), ['whole', 'refused']);
});

test('times are moments, wherever they were', () => {
  const at = Date.UTC(2026, 10, 20, 10, 12);
  assert.equal(answers.time('2026-11-20T10:12:00Z'), at);
  assert.equal(answers.time('2026-11-20T11:12:00.5+01:00'), at + 500);
  assert.equal(answers.time('2026-11-20T09:42:00-00:30'), at);
  assert.equal(answers.time('1969-12-31T23:59:59Z'), -1000);
  // Years before 100 are what they say.
  assert.equal(answers.time('0001-01-01T00:00:00Z'), -62135596800000);
});

test('what is lacking is said where it is', () => {
  const whole = { description: 'masses', terms: [], association: 'benign' };
  const lacking = (recognizable, ...phenomena) => {
    const lack = answers.lacking({ ...answers.answer(), recognizable, phenomena });
    return lack && [lack.field, lack.at];
  };
  assert.deepEqual(lacking(''), ['recognizable', undefined]);
  assert.equal(answers.lacking(undefined).field, 'recognizable');
  assert.deepEqual(lacking('yes', answers.phenomenon()), ['phenomenon', 0]);
  assert.deepEqual(lacking('yes', whole, { ...whole, association: '' }), ['association', 1]);
  assert.deepEqual(lacking('unsure', answers.phenomenon(), { ...whole, description: ' ' }), ['phenomenon', 1]);
  assert.equal(lacking('yes', whole, answers.phenomenon()), null);
  assert.equal(lacking('unsure', answers.phenomenon()), null);
  // Typed before, and then found not to be there.
  assert.equal(lacking('no', { ...whole, association: '' }), null);
});

test('what was typed before nothing was recognisable is in no file', () => {
  const { answer } = answers.read(study, table.answer);
  assert.equal(answers.written(study, 'u-1', { ...answer, recognizable: 'no' }).phenomena, undefined);
  assert.equal(answers.written(study, 'u-1', { ...answer, recognizable: 'unsure' }).phenomena.length, 1);
});

test('the time spent is kept where a file says nothing else', () => {
  const { answer } = answers.read(study, table.answer);
  const record = { answers: { 'u-1': { ...answer, seconds: 90.5 } } };
  assert.equal(file.merge(study, record, { 'u-1': answer }), 0);
  assert.equal(record.answers['u-1'].seconds, 90.5);
});

test('a file holds what is complete, in the order of the reader', () => {
  const { answer } = answers.read(study, table.answer);
  const order = survey.order(study, 'Reader A');
  const given = Object.fromEntries(order.map(slot => [slot, answer]));
  const open = { ...answer, recognizable: '' };
  const record = { reader: 'Reader A', answers: { ...given, [order[0]]: open, 'u-9': answer } };
  const written = file.write(study, record, false);
  assert.deepEqual(written.answers.map(one => study.slotOf(one.unit, one.repeat)), order.slice(1));
  assert.deepEqual(file.write(study, record, true).answers.map(one => one.unit), ['u-9']);
  const read = file.read(study, JSON.stringify(written));
  assert.deepEqual(Object.keys(read.answers), order.slice(1));
  assert.equal(read.unknown, 0);
  const other = JSON.stringify({ ...written, answers: [{ ...table.answer, unit: 'alexnet/conv5/0099' }] });
  assert.equal(file.read(study, other).unknown, 1);
  assert.throws(() => file.read(study, 'reader: a'), /not JSON/);
  assert.throws(() => file.read(study, JSON.stringify({ ...written, answers: [{ unit: 1 }] })), /Answer 1 of the file: /);
});

test('files have names that every system takes', () => {
  assert.equal(file.name(study, 'Reader A', new Date(0)), 's_reader-a_1970-01-01.json');
  assert.equal(file.name({ ...study, study: '../x' }, '…', new Date(0)), 'x_reader_1970-01-01.json');
});
