// What the survey computes: orders, terms that fit, the way through a grid, how a mammogram fits, what is kept.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { load, json } = require('./load.js');

const { survey, phrases: spokenOf } = load('page', 'slips', 'survey-study', 'survey-answers', 'survey-about', 'survey-order', 'survey-file', 'survey-practice', 'survey-records', 'phrases', 'survey-matching', 'survey-layout', 'survey-past', 'survey-clock', 'survey-thanks');
const { order, layout, matching, records } = survey;

const asked = (count, repeats) => ({
  study: 's', repeats, units: Array.from({ length: count }, (_, at) => ({ code: `u-${at}` }))
});

// As the first survey had it: answers go on where they were left.
const ORDER = 'u-8 u-7 u-6 u-5 u-0 u-3 u-4 u-2 u-9 u-7+ u-10 u-6+ u-8+ u-11 u-1'.split(' ');

test('a reader’s order is the same on every computer, whatever the case of the name', () => {
  const study = asked(12, 0.25);
  assert.deepEqual(order(study, 'reader-a'), ORDER);
  assert.deepEqual(order(study, ' Reader-A '), ORDER);
  assert.notDeepEqual(order(study, 'reader-b'), ORDER);
  assert.notDeepEqual(order({ ...study, study: 't' }, 'reader-a'), ORDER);
});

test('every unit is shown once, and some again half a survey later', () => {
  [[0, 1], [1, 1], [2, 0.5], [7, 0], [40, 0.25], [41, 1]].forEach(([count, repeats]) => {
    ['a', 'b', 'c'].forEach(reader => {
      const slots = order(asked(count, repeats), reader);
      const first = slots.filter(slot => !slot.endsWith('+'));
      const again = slots.filter(slot => slot.endsWith('+'));
      assert.equal(new Set(slots).size, slots.length);
      assert.equal(first.length, count);
      assert.equal(again.length, count < 2 ? 0 : Math.round(repeats * count));
      again.forEach(slot => {
        const apart = slots.indexOf(slot) - slots.indexOf(slot.slice(0, -1));
        assert.ok(apart > 0, `${slot} of ${count}`);
        // Only units of the first half can wait so long: at a quarter, those are all that come back.
        if (repeats <= 0.25) assert.ok(apart > count / 2 - 1, `${slot} of ${count} after ${apart}`);
      });
    });
  });
});

test('units come first as often as others', () => {
  const study = asked(4, 0);
  const firsts = new Map();
  for (let reader = 0; reader < 2000; reader += 1) {
    const [first] = order(study, `reader ${reader}`);
    firsts.set(first, (firsts.get(first) || 0) + 1);
  }
  // Within five standard deviations of 500.
  firsts.forEach((count, unit) => assert.ok(Math.abs(count - 500) < 97, `${unit}: ${count}`));
});

const GROUPS = [
  {
    category: 'Mass - Margin',
    terms: [
      { id: 'circumscribed', name: 'circumscribed', synonyms: ['well-defined', 'sharp'] },
      { id: 'not-circumscribed', name: 'not circumscribed', synonyms: [] },
      { id: 'spiculated', name: 'spiculated', synonyms: ['stellate'] }
    ]
  },
  {
    category: 'Calcifications',
    terms: [
      { id: 'round', name: 'round', synonyms: ['circular'] },
      { id: 'fine-linear', name: 'fine-linear', synonyms: ['casting', 'a margin of dots'] }
    ]
  }
];
const found = typed => matching(GROUPS, typed).map(group => [group.category, ...group.terms.map(term => term.id)]);

test('without a text all terms stand as in the lexicon', () => {
  const all = [['Mass - Margin', 'circumscribed', 'not-circumscribed', 'spiculated'], ['Calcifications', 'round', 'fine-linear']];
  assert.deepEqual(found(''), all);
  assert.deepEqual(found('  '), all);
});

test('names come first, then their words, synonyms, parts, and categories', () => {
  assert.deepEqual(found('CIRC'), [['Mass - Margin', 'circumscribed', 'not-circumscribed'], ['Calcifications', 'round']]);
  assert.deepEqual(found('linear'), [['Calcifications', 'fine-linear']]);
  assert.deepEqual(found('stell'), [['Mass - Margin', 'spiculated']]);
  assert.deepEqual(found('lated'), [['Mass - Margin', 'spiculated']]);
  // A part of a synonym goes before the category of others.
  assert.deepEqual(found('margin'), [
    ['Calcifications', 'fine-linear'], ['Mass - Margin', 'circumscribed', 'not-circumscribed', 'spiculated']
  ]);
  assert.deepEqual(found('no such'), []);
});

test('a phrase finds several terms, as labels suggest does', () => {
  const { groups, phrases } = json('../phrases.json');
  assert.ok(Object.keys(phrases).length > 100);
  Object.entries(phrases).forEach(([text, terms]) => assert.deepEqual(spokenOf(groups, text), terms, text));
});

test('terms of a phrase stand together, before the groups that they are of', () => {
  const typed = matching(GROUPS, 'stelate, rounds');
  assert.deepEqual(typed[0].terms[0].ids, ['spiculated', 'round']);
  assert.equal(typed[0].terms[0].name, 'spiculated + round');
  assert.deepEqual(typed.slice(1).map(group => group.terms.map(term => term.id)), [['spiculated'], ['round']]);
  assert.deepEqual(found('stelate'), [['Mass - Margin', 'spiculated']], 'one alone stands where it is');
});

test('arrows lead through the grid, and not out of it', () => {
  // Three rows of three, the last with one.
  const tops = [0, 0, 0, 90, 90, 90, 180];
  const to = (from, key) => layout.neighbour(tops, from, `Arrow${key}`);
  assert.deepEqual([to(1, 'Left'), to(1, 'Right'), to(1, 'Up'), to(1, 'Down')], [0, 2, null, 4]);
  assert.deepEqual([to(0, 'Left'), to(6, 'Right'), to(3, 'Down'), to(4, 'Down'), to(6, 'Up')], [null, null, 6, null, 3]);
  assert.equal(to(2, 'Right'), 3, 'on to the next row');
  assert.equal(layout.neighbour(tops, 1, 'Enter'), null);
  assert.equal(layout.neighbour([0], 0, 'ArrowDown'), null);
});

test('a mammogram fits its film, or is larger with the patch in the middle', () => {
  const whole = { width: 2000, height: 4000 };
  const patch = { x: 1000, y: 3000, edge: 200 };
  const room = { width: 600, height: 500 };
  // The height is what limits it: 250 wide.
  assert.deepEqual(layout.film(whole, patch, room, 1), { width: 250, height: 500, left: 137.5, top: 387.5 });
  // Four times as large, in a film that grows no further.
  assert.deepEqual(layout.film(whole, patch, room, 4), { width: 1000, height: 500, left: 550, top: 1550 });
  assert.equal(layout.film({ width: 4000, height: 1000 }, patch, room, 1).height, 150);
  assert.equal(layout.room({ width: 1280, height: 900 }), 630);
  assert.equal(layout.room({ width: 500, height: 800 }), 360);
  assert.equal(layout.room({ width: 500, height: 300 }), 240);
});

// A browser's storage, in so far as records use it.
function storage() {
  const items = new Map();
  return {
    items,
    get length() { return items.size; },
    key: at => [...items.keys()][at],
    getItem: key => items.get(key) ?? null,
    setItem: (key, value) => { items.set(key, value); },
    removeItem: key => { items.delete(key); }
  };
}

test('records are kept by reader and study, in a storage or without', () => {
  [storage(), null].forEach(store => {
    const kept = records({ study: 's' }, store);
    kept.change(' Reader  A ', record => { record.answers['u-1'] = { recognizable: 'no' }; });
    kept.change('b', () => {});
    assert.deepEqual(kept.readers(), ['Reader A', 'b']);
    assert.deepEqual(kept.open('READER  a').answers, { 'u-1': { recognizable: 'no' } });
    assert.deepEqual(kept.open('c'), { format: 1, reader: 'c', answers: {}, used: [] });
    kept.forget('b');
    assert.deepEqual(kept.readers(), ['Reader A']);
    assert.equal(kept.kept, store !== null);
  });
});

test('what is not a record is none', () => {
  const store = storage();
  const kept = records({ study: 's' }, store);
  ['{', 'null', '[]', '{"format":2,"reader":"a","answers":{}}', '{"format":1,"answers":{}}', '{"format":1,"reader":"a"}']
    .forEach(text => {
      store.setItem(kept.keyOf('a'), text);
      assert.deepEqual(kept.readers(), [], text);
      assert.deepEqual(kept.open('a').answers, {}, text);
    });
  // A record of a later version is set aside, and what is no answer is passed over.
  store.setItem(kept.keyOf('a'), '{"format":2,"reader":"a"}');
  kept.change('a', () => {});
  assert.equal(store.getItem(`${kept.keyOf('a')}:set aside`), '{"format":2,"reader":"a"}');
  assert.deepEqual(kept.readers(), ['a']);
  const answers = { x: null, y: 7, z: { phenomena: 'x' }, u: { phenomena: [{ terms: null }] }, v: { recognizable: 'no' } };
  store.setItem(kept.keyOf('a'), JSON.stringify({ format: 1, reader: 'a', answers, used: 'q' }));
  assert.deepEqual(kept.open('a'), { format: 1, reader: 'a', answers: { v: { recognizable: 'no' } }, used: [] });
  kept.forget('a');
  store.setItem('unit-atlas-survey:other:a', '{"format":1,"reader":"a","answers":{}}');
  assert.deepEqual(kept.readers(), [], 'another study');
});

test('squares fill a room as large as whole ones can be', () => {
  const edge = (count, width, height) => layout.filling(count, { width, height }, 10);
  assert.equal(edge(1, 300, 200), 200);
  assert.equal(edge(4, 410, 410), 200, 'two by two');
  assert.equal(edge(32, 800, 2200), 192, 'four columns of eight; three of eleven would be 190');
  assert.equal(edge(5, 100, 0), 0);
});

test('what was chosen is taken back, what was typed stays', () => {
  const past = survey.past();
  const answer = { recognizable: null, phenomena: [{ terms: [], description: '' }], remarks: '' };
  past.begin(answer);
  assert.equal(past.any(), false);
  answer.phenomena[0].terms.push('mass');
  past.note(answer);
  answer.phenomena[0].description = 'with hairs';
  past.note(answer);
  answer.recognizable = 'yes';
  past.note(answer);
  assert.deepEqual(past.back(), { recognizable: null, phenomena: [{ terms: ['mass'], description: 'with hairs' }], remarks: '' });
  const first = { recognizable: null, phenomena: [{ terms: [], description: 'with hairs' }], remarks: '' };
  assert.deepEqual(past.back(), first, 'words stay');
  assert.equal(past.back(), null);
});

test('a pattern that was removed comes back with its words, and one with words stays', () => {
  const past = survey.past();
  const pattern = description => ({ terms: [], description, association: null });
  const answer = { recognizable: 'yes', phenomena: [pattern('A')], remarks: '' };
  past.begin(answer);
  answer.phenomena.push(pattern('B'));
  past.note(answer);
  assert.deepEqual(past.back().phenomena.map(one => one.description), ['A', 'B'], 'it was typed');
  answer.phenomena[1].association = 'malignant';
  past.note(answer);
  answer.phenomena.shift();
  past.note(answer);
  assert.deepEqual(past.back().phenomena.map(one => one.description), ['A', 'B']);
});

test('a pace is told once a few answers tell it, and times are round', () => {
  const taken = (...seconds) => survey.pace(seconds.map(one => ({ seconds: one })));
  assert.equal(taken(60, 60, 60, 60), null);
  assert.equal(taken(10, 500, 70, 60, 50), 60);
  const words = [1, 89, 480, 2700, 5700, 6400, 9000].map(survey.minutes);
  assert.deepEqual(words, ['1 minute', '1 minute', '8 minutes', '45 minutes', '1½ hours', '2 hours', '2½ hours']);
});

// ---- Before the first unit, and after the last

const CONSENT = '0123456789abcdef0123456789abcdef';
const ABOUT = { given_at: '2026-11-20T10:00:00.000Z', consent: CONSENT, years: 12, subspecialty: 'breast_imaging' };

test('a reader is asked before the first unit, and again where there is another text to agree to', () => {
  const { about } = survey;
  const plain = { background: [] };
  const asking = { consent: CONSENT, background: ['years'] };
  assert.equal(about.lacks(plain, undefined), false);
  assert.equal(about.lacks(asking, undefined), true);
  assert.equal(about.lacks(asking, ABOUT), false);
  assert.equal(about.lacks({ ...asking, consent: 'f'.repeat(32) }, ABOUT), true);
  assert.equal(about.lacks({ background: ['years'] }, { given_at: ABOUT.given_at }), false, 'who says nothing is not asked again');
});

test('what a file says of its reader is read as strictly as the rest, and the later stands', () => {
  const { about } = survey;
  assert.deepEqual(about.read(ABOUT), ABOUT);
  [
    null, [], { years: 3 }, { ...ABOUT, given_at: 'yesterday' }, { ...ABOUT, years: -1 }, { ...ABOUT, years: 81 },
    { ...ABOUT, years: 2.5 }, { ...ABOUT, years: '12' }, { ...ABOUT, consent: 'x' }, { ...ABOUT, subspecialty: 'cook' },
    { ...ABOUT, mammograms_per_year: 100001 }, { ...ABOUT, age: 40 }
  ].forEach(wrong => assert.throws(() => about.read(wrong), /The file’s “about”/, JSON.stringify(wrong)));
  const record = { about: ABOUT };
  assert.equal(about.merge(record, { ...ABOUT, years: 3 }), false);
  assert.equal(about.merge(record, { ...ABOUT, given_at: '2026-11-20T11:00:00+00:30', years: 3 }), true);
  assert.equal(record.about.years, 3);
  assert.equal(about.merge(record, null), false);
});

test('a file has what its reader said of themselves, and none of what was practised', () => {
  const study = survey.study({
    ...asked(1, 0), lexicon: 'l', groups: [], practice: [{ code: 'u-p', known: { words: 'mass', by: 'outlines', terms: [] } }]
  });
  const no = { recognizable: 'no', phenomena: [], remarks: '', answered_at: ABOUT.given_at, seconds: 3 };
  const record = { reader: 'a', about: ABOUT, answers: { 'u-0': no }, practice: { 'u-p': no } };
  const written = survey.file.write(study, record, false);
  assert.deepEqual(written.about, ABOUT);
  assert.deepEqual(written.answers.map(one => one.unit), ['u-0']);
  assert.equal(study.isAsked('u-p'), false);
  assert.equal(study.unitOf('u-p').code, 'u-p');
  assert.deepEqual(survey.file.read(study, JSON.stringify(written)).about, ABOUT);
  assert.ok(!('about' in survey.file.write(study, { ...record, about: undefined }, false)));
});

test('after a practice unit its reader hears what is known of it', () => {
  const known = { words: 'calcifications, grouped', by: 'outlines', terms: ['calcifications', 'grouped'] };
  const said = terms => ({ recognizable: 'yes', phenomena: [{ description: '', terms, association: 'none' }] });
  const heard = answer => survey.feedback(null, known, answer);
  assert.match(heard(said(['grouped'])), /fit this best: calcifications, grouped\. You named it too\.$/);
  assert.match(heard(said(['mass'])), /You saw something else\./);
  assert.match(heard({ recognizable: 'no', phenomena: [] }), /To you nothing was recognisable\./);
  assert.match(survey.feedback(null, { ...known, by: 'readers' }, said([])), /^Other readers call this: /);
});

test('the last page says where everything is, and nowhere else', () => {
  const record = { saved: 1000, changed: 900, about: ABOUT };
  const alone = survey.places({ record, file: 's_a.json', contact: 'x@example.org', left: null, kept: true });
  assert.equal(alone.length, 3);
  assert.match(alone[0], /s_a\.json.*what you said of yourself.*Send it to x@example\.org/);
  assert.match(alone[2], /sent nothing to anyone/);
  assert.match(survey.places({ record: { ...record, changed: 2000 }, left: null, kept: true })[0], /save it again/);
  const sent = survey.places({ record: {}, left: 0, kept: false });
  assert.deepEqual(sent, ['On the server of the study: your answers with their times.']);
  assert.match(survey.places({ record: {}, left: 2, kept: true })[0], /but for 2 answers that are on the way/);
});

test('what a full storage does not take lives as long as the page', () => {
  const kept = new Map();
  let full = false;
  const store = {
    getItem: key => kept.get(key) ?? null,
    setItem(key, text) {
      if (full) throw new Error('full');
      kept.set(key, text);
    },
    removeItem: key => kept.delete(key),
    key: at => [...kept.keys()][at],
    get length() { return kept.size; }
  };
  const desk = records({ study: 's' }, store);
  desk.change('A', record => { record.used = ['mass']; });
  full = true;
  assert.throws(() => desk.change('A', record => { record.used.push('oval'); }), /full/);
  assert.throws(() => desk.change('B', () => {}), /full/);
  assert.deepEqual([desk.open('A').used, desk.readers()], [['mass', 'oval'], ['A', 'B']]);
  // With room again, all of it is kept.
  full = false;
  desk.change('a', record => { record.used.push('round'); });
  assert.deepEqual(records({ study: 's' }, store).open('A').used, ['mass', 'oval', 'round']);
  desk.forget('B');
  assert.deepEqual(desk.readers(), ['A']);
});
