// Answers on their way to a server that collects them: what it says is kept, and nothing waits for what it refuses.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { load } = require('./load.js');
const { table } = require('./cases.js');

globalThis.document.getElementById = () => ({});
// The server, as the script beside it (collect.js) hands its replies on.
const server = { reply: null, asked: [], answered: null, told: [] };
globalThis.unitAtlasCollector = {
  save(answer, done) {
    server.asked.push(answer);
    done(...server.reply(answer));
  },
  tell(about, done) {
    server.told.push(about);
    done(...server.answered(about));
  }
};
const { survey } = load('page', 'survey-study', 'survey-answers', 'survey-about', 'survey-order', 'survey-file', 'survey-records',
  'survey-sending');
const { answers } = survey;

const study = survey.study({
  study: table.file.study,
  lexicon: table.file.lexicon,
  blind: false,
  repeats: 0,
  groups: [{ category: 'Any', terms: table.terms.map(id => ({ id, name: id, gloss: '', synonyms: [] })) }],
  units: [1, 2, 3].map(n => ({ code: `u-${n}`, name: `alexnet/conv5/000${n}`, patches: [] }))
});
const SLOTS = ['u-1', 'u-2', 'u-3'];
const RECEIVED = '2026-11-20T11:00:00.000Z';

// Sends answers to all units, which `reply` gives what the collector is done with; the record then, and the warning.
function sent(t, reply, times = {}) {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  Object.assign(server, { reply, asked: [] });
  const records = survey.records(study, null);
  let words = null;
  const hooks = {
    reader: () => 'a', may: () => true, change: edit => records.change('a', edit), warn: said => { words = said; }, shown: () => {}
  };
  const sending = survey.sending(study, records, hooks);
  records.change('a', record => {
    SLOTS.forEach(slot => {
      const given = { ...table.answer, answered_at: times[slot] || table.answer.answered_at };
      record.answers[slot] = answers.read(study, given).answer;
    });
    sending.mark(record, SLOTS);
  });
  sending.soon(0);
  for (let turn = 0; turn < 20; turn += 1) t.mock.timers.tick(1);
  const record = records.open('a');
  return { record, left: sending.left(record), words };
}

test('an answer has the time when the server received it', t => {
  const { record, left, words } = sent(t, answer => [null, false, { stands: { ...answer, received_at: RECEIVED } }]);
  assert.deepEqual(SLOTS.map(slot => record.answers[slot].received_at), [RECEIVED, RECEIVED, RECEIVED]);
  assert.deepEqual([left, words, server.asked.length], [[], null, 3]);
});

test('a server that does not say what stands has the answer all the same', t => {
  const { record, left } = sent(t, () => [null, false, {}]);
  assert.deepEqual([left, record.answers['u-1'].received_at], [[], undefined]);
});

test('what came after an answer that was sent again stands here too', t => {
  // By the clock of this device it is earlier.
  const later = { remarks: 'said elsewhere', answered_at: '2026-11-19T10:12:00Z', received_at: '2026-11-20T10:00:00Z' };
  const { record } = sent(t, answer => [null, false, { stands: { ...answer, ...later } }]);
  assert.equal(record.answers['u-1'].remarks, 'said elsewhere');
});

test('an answer that is refused holds up no other, and is not sent again and again', t => {
  const { left, words } = sent(t, answer =>
    (answer.unit.endsWith('1') ? ['not this one', false, {}] : [null, false, {}]));
  assert.deepEqual(left, ['u-1']);
  assert.equal(server.asked.length, 3);
  assert.match(words, /^1 answer is kept here but not yet on the server: not this one$/);
});

const ABOUT = { given_at: '2026-11-20T10:00:00.000Z', years: 12 };

// Sends what a reader says of themselves beside an answer; what is then untold, and the warning.
function told(t, answered) {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  Object.assign(server, { reply: () => [null, false, {}], asked: [], answered, told: [] });
  const records = survey.records(study, null);
  let words = null;
  const sending = survey.sending(study, records, {
    reader: () => 'a', may: () => true, change: edit => records.change('a', edit), warn: said => { words = said || words; }, shown: () => {}
  });
  records.change('a', record => {
    record.about = ABOUT;
    sending.markAbout(record);
    record.answers['u-1'] = answers.read(study, table.answer).answer;
    sending.mark(record, ['u-1']);
  });
  sending.soon(0);
  for (let turn = 0; turn < 20; turn += 1) t.mock.timers.tick(1);
  return { untold: records.open('a').untold, words };
}

test('what a reader says of themselves goes before the answers, once', t => {
  const { untold, words } = told(t, () => [null, false, {}]);
  assert.deepEqual([untold, words, server.told, server.asked.length], [undefined, null, [ABOUT], 1]);
});

test('what a reader says of themselves is tried again, or refused with a word, and holds up no answer for good', t => {
  const waiting = told(t, () => ['the server does not answer', true, {}]);
  assert.deepEqual([waiting.untold, server.asked.length], [true, 0]);
  const refused = told(t, () => ['no such number', false, {}]);
  assert.deepEqual([refused.untold, server.asked.length], [undefined, 1]);
  assert.match(refused.words, /What you said of yourself could not be sent: no such number/);
});

test('what a reader says of themselves by a clock that is ahead gets the time of the server', t => {
  const now = '2026-11-20T09:00:00.000Z';
  const { untold, words } = told(t, about => (about.given_at === now ? [null, false, {}] : ['from the future', false, { now }]));
  assert.deepEqual([untold, words, server.told.length], [undefined, null, 2]);
});

test('nothing is sent of who has not agreed', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  Object.assign(server, { reply: () => [null, false, {}], asked: [], answered: () => [null, false, {}], told: [] });
  const records = survey.records(study, null);
  let may = false;
  const sending = survey.sending(study, records, {
    reader: () => 'a', may: () => may, change: edit => records.change('a', edit), warn: () => {}, shown: () => {}
  });
  records.change('a', record => {
    record.answers['u-1'] = answers.read(study, table.answer).answer;
    sending.mark(record, ['u-1']);
  });
  const wait = () => {
    sending.soon(0);
    for (let turn = 0; turn < 20; turn += 1) t.mock.timers.tick(1);
    return server.asked.length;
  };
  assert.equal(wait(), 0);
  may = true;
  assert.equal(wait(), 1);
});

test('an answer of a clock that is ahead gets the time of the server', t => {
  const now = '2026-11-20T10:30:00.000Z';
  const ahead = answer => answers.time(answer.answered_at) > answers.time(now) + 600000;
  const reply = answer => (ahead(answer) ? ['from the future', false, { now }] : [null, false, {}]);
  const { record, left } = sent(t, reply, { 'u-2': '2026-11-21T10:12:00.000Z' });
  assert.deepEqual([left, server.asked.length], [[], 4]);
  assert.equal(record.answers['u-2'].answered_at, now);
  // Another mistake of the same answer is not taken for that.
  const wrong = sent(t, () => ['wrong', false, { now }], { 'u-2': '2026-11-21T10:12:00.000Z' });
  assert.equal(wrong.left.length, 3);
  assert.equal(server.asked.length, 4);
});

test('where the server is away an answer is kept, and the others wait for it', t => {
  const { left, words } = sent(t, () => ['the server does not answer', true, {}]);
  assert.deepEqual([left, server.asked.length], [SLOTS, 1]);
  assert.match(words, /^3 answers are kept here/);
});

test('an answer takes the place of another at a later time, whatever the clock says', () => {
  const future = '2999-01-01T00:00:00.000Z';
  assert.equal(answers.now({ answered_at: future }), '2999-01-01T00:00:00.001Z');
  assert.equal(answers.now({ answered_at: '2026-11-20T10:12:00Z', received_at: future }), '2999-01-01T00:00:00.001Z');
  const now = answers.time(answers.now(null));
  assert.ok(Math.abs(now - Date.now()) < 5000);
});

test('copies of an answer were received when the first of them was', () => {
  const { file } = survey;
  const of = received => answers.read(study, { ...table.answer, received_at: received }).answer;
  [[null, RECEIVED], [RECEIVED, null], ['2026-11-20T12:00:00Z', RECEIVED]].forEach(([here, given]) => {
    const record = { answers: { 'u-1': of(here) } };
    assert.equal(file.merge(study, record, { 'u-1': of(given) }), 0);
    assert.equal(record.answers['u-1'].received_at, RECEIVED);
  });
});
