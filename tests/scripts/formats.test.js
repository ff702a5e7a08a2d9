// What Rust hands to the scripts is what they read: `formats.json` is held to what is written by a test of src/atlas/script_tests.rs.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { load, json } = require('./load.js');

const { page, patch, heatMap, layerUnits, searchIndex, decision, survey } =
  load('page', 'patch', 'heat-map', 'layer-units', 'slips', 'phrases', 'search-index', 'decision', 'survey-study', 'survey-layout');
const formats = json('formats.json');

test('columns become patches, with their links and pictures', () => {
  const patches = patch.rows(formats.patches);
  assert.deepEqual(patches, [
    { mammogram: 'A_1.LEFT_CC', x: 10, y: 20, edge: 113, score: '12.3', cancer: true, overlay: 'M1 2h3v4Z' },
    { mammogram: 'B_2.RIGHT_MLO', x: 0, y: 3000, edge: 224, score: '0.045', cancer: false, overlay: '' }
  ]);
  assert.deepEqual(patches.map(one => ({ href: patch.href(one), src: patch.src(one) })), formats.places);
  assert.deepEqual(patch.rows(formats.drawn.top), []);
  assert.deepEqual(formats.drawn.levels.map(level => patch.rows(level)), [[patches[0]]]);
});

test('a link tells the place of its patch', () => {
  formats.places.forEach(({ href }, at) => {
    const { mammogram, x, y, edge } = patch.rows(formats.patches)[at];
    assert.deepEqual(patch.placeOf(`../../../../${href}`), { mammogram, x, y, edge });
  });
  assert.equal(patch.placeOf('methods/index.html#grid'), null);
});

test('units have the numbers of their pages', () => {
  Object.entries(formats.unit_numbers).forEach(([number, written]) => {
    assert.equal(page.unitNumber(Number(number)), written);
  });
});

test('a map has the levels that were written', () => {
  const { heat } = formats.drawn;
  // Points at the centres of the cells: as wide as the map, cell by cell.
  const opacity = level => 255 * Math.min(0.75, 0.84 * level * level);
  const cells = { ...heat, edge: heat.columns, centre: 0.5, stride: 1 };
  const pixels = heatMap.pixels({ ...cells, rows: 1 }, heat.maps[0].slice(0, 3), 3);
  formats.levels.slice(0, 3).forEach((level, at) => {
    assert.ok(Math.abs(pixels[4 * at + 3] - opacity(level / 63)) <= 0.5, `cell ${at}`);
  });
});

test('a layer’s units are found by what is known of them', () => {
  const [first, second] = layerUnits.rows(formats.layer_units);
  assert.equal(first.number, '0001');
  assert.equal(first.concept.name, 'mass');
  assert.deepEqual(first.readers, ['reader-a']);
  assert.deepEqual(first.categories, ['Mass - Margin']);
  assert.equal(first.text, '0001 spiculated edge mass calcifications spiculated mass reader-a');
  assert.equal(first.called.name, 'calcifications');
  assert.deepEqual([second.concept, second.called], [null, null]);
  assert.deepEqual(first.patches, [patch.rows(formats.patches)[0]]);
  assert.deepEqual(second.patches, []);
});

test('everything that can be searched is an entry', () => {
  const entries = searchIndex.entries(formats.search);
  const count = kind => entries.filter(entry => entry.kind === kind).length;
  assert.deepEqual(['page', 'term', 'unit', 'mammogram'].map(count), [1, 1, 12, 1]);
  assert.ok(entries.every(entry => entry.title && entry.href && entry.text && !entry.text.includes('undefined')));
  const meant = searchIndex.search(formats.search, entries, 'tumours').map(({ entry }) => entry.note);
  assert.deepEqual(meant, ['Spiculated edge · close to mass']);
});

test('a survey knows its units and terms by every name', () => {
  const study = survey.study(formats.study);
  assert.equal(study.slotOf('u-1234', true), 'u-1234+');
  assert.equal(study.slotOf('alexnet/conv5/0001', false), 'u-1234');
  assert.equal(study.slotOf('u-9999', false), null);
  assert.equal(study.unitOf('u-1234+').name, 'alexnet/conv5/0001');
  assert.equal(study.termName('mass'), 'mass');
  assert.equal(study.termName('gone'), 'gone');
});

test('a mammogram fits its film with the patch in the middle', () => {
  const { patches, mammograms } = formats.unit_patches;
  const whole = mammograms[patches[0].mammogram];
  const fit = survey.layout.film(whole, patches[0], { width: 450, height: 2000 }, 1);
  assert.deepEqual(fit, { width: 450, height: 600, left: (10 + 56.5) / 2, top: (20 + 56.5) / 2 });
});

test('units that are switched off or to their mean change the probability by what they add', () => {
  const of = (...states) => decision.probability(formats.decision, states);
  const odds = (no, yes) => Math.exp(yes) / (Math.exp(no) + Math.exp(yes));
  const near = (found, wanted) => assert.ok(Math.abs(found - wanted) < 1e-9, `${found} is not ${wanted}`);
  near(of('on', 'on'), odds(-0.25, 0.75));
  near(of('off', 'on'), odds(0.75, -0.75));
  near(of('mean', 'on'), odds(0.5, -0.25));
  near(of('off', 'off'), odds(0.25, -0.875));
  near(of('on', 'mean'), of('on', 'on'));
});
