// Reading of cases: when a score may change, what a file holds, and which of two stands.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { load, json } = require('./load.js');

const { reading, survey } = load('page', 'survey-study', 'survey-order', 'survey-file', 'survey-records', 'reading-study', 'reading-file');
const { file } = reading;
const formats = json('formats.json');

const study = reading.study(formats.scored);
const SLOTS = survey.order(study, 'a');
const AT = minute => `2026-11-20T10:${String(minute).padStart(2, '0')}:00.000Z`;

// A case that is scored before and, where `after` is no null, after its explanation.
function scored(before, after, minute = 0) {
  const given = reading.answer();
  reading.change(given, { score: before, birads: '' }, AT(minute));
  reading.explain(given, AT(minute));
  if (after !== null) {
    reading.change(given, { score: after, birads: '4A' }, AT(minute));
    reading.confirm(given, AT(minute + 1));
  }
  return given;
}

test('a score is a whole number from 0 to 100', () => {
  const found = ['0', '7', ' 35 ', '100', '007', '101', '-1', '3.5', '1e2', '', 'a', '1000'].map(reading.score);
  assert.deepEqual(found, [0, 7, 35, 100, 7, null, null, null, null, null, null, null]);
});

test('nothing is set until it is set, and the first score is fixed with the explanation', () => {
  const given = reading.answer();
  assert.deepEqual([reading.stage(undefined), reading.stage(given)], ['open', 'open']);
  assert.equal(reading.explain(given, AT(1)), false, 'there is none to fix');
  assert.equal(reading.confirm(given, AT(1)), false);
  reading.change(given, { score: 35, birads: '3' }, AT(1));
  assert.equal(reading.stage(given), 'begun');
  assert.equal(given.before.scored_at, '');
  assert.equal(reading.confirm(given, AT(1)), false, 'no explanation was shown');
  assert.equal(reading.explain(given, AT(2)), true);
  assert.equal(reading.stage(given), 'explained');
  // The second begins with it, and is none yet.
  assert.deepEqual(given.after, { score: 35, birads: '3', seconds: 0, scored_at: '' });
  assert.equal(reading.explain(given, AT(3)), false, 'only once');
  reading.change(given, { score: 80, birads: '4C' }, AT(3));
  assert.deepEqual(given.before, { score: 35, birads: '3', seconds: 0, scored_at: AT(2) });
  assert.equal(reading.stage(given), 'explained');
  assert.equal(reading.confirm(given, AT(4)), true);
  assert.equal(reading.stage(given), 'done');
  assert.deepEqual(given.after, { score: 80, birads: '4C', seconds: 0, scored_at: AT(4) });
  // It may change, and stays confirmed; without a score it is open again.
  reading.change(given, { score: 70, birads: '' }, AT(5));
  assert.equal(given.after.scored_at, AT(5));
  reading.change(given, { score: null, birads: '' }, AT(6));
  assert.equal(reading.stage(given), 'explained');
  assert.equal(reading.confirm(given, AT(7)), false);
  assert.equal(given.before.score, 35);
});

test('what is kept and is no case counts as open', () => {
  const good = scored(1, 2);
  assert.equal(reading.stage(good), 'done');
  [{}, { ...good, before: null }, { ...good, after: { score: '2', seconds: 1 } }, { before: good.before }, 'x', []].forEach(kept => {
    assert.deepEqual([reading.stage(kept), reading.isExplained(kept)], ['open', false]);
  });
});

test('the next case is the next that is not done, and then the first', () => {
  const done = scored(1, 2);
  assert.equal(reading.nextOpen(['a', 'b', 'c'], {}, 1), 1);
  assert.equal(reading.nextOpen(['a', 'b', 'c'], { b: done, c: scored(1, null) }, 1), 2);
  assert.equal(reading.nextOpen(['a', 'b', 'c'], { b: done, c: done }, 1), 0);
  assert.equal(reading.nextOpen(['a'], { a: done }, 1), -1);
});

test('a file holds what is fixed, in the reader’s order, and comes back as it was', () => {
  const [first, second] = SLOTS;
  const record = { reader: 'a', answers: { [second]: scored(35, 60), [first]: scored(20, null) } };
  record.answers[second].remarks = ' dense ';
  record.answers[second].before.seconds = 41.4;
  const written = file.write(study, record, new Date(AT(30)));
  assert.deepEqual(written, {
    schema: 1,
    kind: 'cases',
    study: 'my-study',
    reader: 'a',
    saved_at: AT(30),
    cases: [
      { case: first, before: { score: 20, seconds: 0, scored_at: AT(0) } },
      {
        case: second,
        before: { score: 35, seconds: 41, scored_at: AT(0) },
        after: { score: 60, birads: '4A', seconds: 0, scored_at: AT(1) },
        remarks: 'dense'
      }
    ]
  });
  assert.equal(file.name(study, 'Reader A', new Date(AT(30))), 'my-study_cases_reader-a_2026-11-20.json');
  const found = file.read(study, JSON.stringify(written));
  assert.deepEqual([found.reader, found.unknown], ['a', 0]);
  const other = { reader: 'a', answers: {} };
  assert.equal(file.merge(other, found.answers), 2);
  assert.deepEqual(file.write(study, other, new Date(AT(30))), written);
  assert.equal(file.merge(other, found.answers), 0, 'the same file twice');
  // What is begun is in no file.
  const begun = reading.answer();
  reading.change(begun, { score: 5, birads: '' }, AT(1));
  assert.deepEqual(file.write(study, { reader: 'a', answers: { [first]: begun } }, new Date()).cases, []);
});

test('of two first scores the earlier stands, of two second scores the later', () => {
  const merged = (kept, given) => {
    const record = { reader: 'a', answers: kept ? { c: kept } : {} };
    file.merge(record, { c: given });
    return [record.answers.c.before.score, record.answers.c.after.scored_at ? record.answers.c.after.score : null];
  };
  const begun = reading.answer();
  reading.change(begun, { score: 5, birads: '' }, AT(1));
  assert.deepEqual(merged(null, scored(1, 2)), [1, 2]);
  assert.deepEqual(merged(begun, scored(1, null)), [1, null]);
  assert.deepEqual(merged(scored(1, null, 3), scored(1, 2, 3)), [1, 2]);
  assert.deepEqual(merged(scored(1, 2, 3), scored(1, null, 3)), [1, 2]);
  assert.deepEqual(merged(scored(10, 20, 3), scored(30, 40, 9)), [10, 20]);
  assert.deepEqual(merged(scored(30, 40, 9), scored(10, null, 3)), [10, null]);
  const later = scored(1, 2, 3);
  reading.change(later, { score: 9, birads: '' }, AT(9));
  assert.deepEqual(merged(scored(1, 2, 3), later), [1, 9]);
  assert.deepEqual(merged(later, scored(1, 2, 3)), [1, 9]);
});

test('what is no such file is refused in words', () => {
  const good = file.write(study, { reader: 'a', answers: { [SLOTS[0]]: scored(20, 30) } }, new Date(AT(30)));
  const refused = edit => {
    const changed = JSON.parse(JSON.stringify(good));
    const text = edit(changed);
    let words = 'taken';
    try { file.read(study, typeof text === 'string' ? text : JSON.stringify(changed)); } catch (error) { words = error.message; }
    return words;
  };
  assert.equal(refused(() => {}), 'taken');
  [
    [() => '{', 'not JSON'],
    [() => 'null', 'not a saved file'],
    [() => '[1]', 'not a saved file'],
    [one => { one.kind = 'units'; }, 'not a saved file'],
    [one => { one.study = 'other'; }, 'another study, “other”'],
    [one => { one.reader = ' '; }, 'names no reader'],
    [one => { one.cases = {}; }, 'no list of cases'],
    [one => { one.cases[0].before.score = 101; }, 'Case 1 of the file has a score'],
    [one => { one.cases[0].after.score = '<b>'; }, 'Case 1 of the file has a score'],
    [one => { one.cases[0].after.birads = '7'; }, 'Case 1 of the file has a score'],
    [one => { one.cases[0].before.scored_at = 'now'; }, 'Case 1 of the file has a score'],
    [one => { one.cases[0].remarks = 3; }, 'remarks that are no text'],
    [one => { one.cases.push(one.cases[0]); }, 'Case 2 of the file is not written']
  ].forEach(([edit, words]) => assert.ok(refused(edit).includes(words), `${words}: ${refused(edit)}`));
  const strange = { ...good, cases: [{ ...good.cases[0], case: 'c-9' }] };
  assert.deepEqual(file.read(study, JSON.stringify(strange)).unknown, 1);
});

test('scores of cases are kept apart from answers on units', () => {
  const items = new Map();
  const store = {
    get length() { return items.size; },
    key: at => [...items.keys()][at],
    getItem: key => items.get(key) ?? null,
    setItem: (key, value) => { items.set(key, value); },
    removeItem: key => { items.delete(key); }
  };
  const [units, cases] = [survey.records(study, store), survey.records(study, store, 'reading')];
  units.change('u', () => {});
  cases.change('c', record => { record.answers['c-1234'] = scored(1, 2); });
  assert.deepEqual([units.readers(), cases.readers()], [['u'], ['c']]);
  assert.equal(cases.open('c').answers['c-1234'].after.score, 2);
});

test('time is taken over without what another window has changed', () => {
  const part = (score, seconds, at) => ({ score, birads: '', seconds, scored_at: at });
  const kept = { before: part(50, 4, AT(1)), after: part(80, 2, AT(3)), remarks: 'new' };
  const shown = { before: part(50, 9, AT(1)), after: part(50, 1, ''), remarks: '' };
  assert.equal(reading.agrees(kept, shown), false);
  reading.spend(kept, shown);
  assert.deepEqual(kept, { before: part(50, 9, AT(1)), after: part(80, 2, AT(3)), remarks: 'new' });
  assert.equal(reading.agrees(kept, { ...kept, before: part(50, 0, AT(1)) }), true);
});

test('what is no case is none', () => {
  const whole = reading.answer();
  assert.equal(reading.isCase(whole), true);
  [{ score: 101 }, { score: -5 }, { birads: '<b>' }, { scored_at: 'x' }, { seconds: -1 }].forEach(wrong => {
    assert.equal(reading.isCase({ ...whole, before: { ...whole.before, ...wrong } }), false, JSON.stringify(wrong));
  });
});
