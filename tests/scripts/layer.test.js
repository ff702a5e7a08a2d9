// What the scripts of a layer's page compute besides its filters: what is where on the map of its units, how
// each is marked, and which list a unit's page follows.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { load, json } = require('./load.js');

const kept = new Map();
globalThis.unitAtlas.session = { get: key => kept.get(key) ?? null, set: (key, value) => kept.set(key, value) };
const { layout, layerUnits, followed } = load('page', 'patch', 'layer-units', 'layout', 'followed');

const FRAME = { width: 1000, height: 500, reach: [1, 1] };
const row = (number, place, more = {}) => ({
  number, categories: [], ...more, unit: { place, detects: false, influence: null, ...more.unit }
});
const near = (got, wanted) => got.forEach((value, at) => assert.ok(Math.abs(value - wanted[at]) < 1e-6, `${got} ${wanted}`));

test('the whole map fits into its frame, whatever that is', () => {
  near(layout.spot(layout.WHOLE, FRAME, [0, 0]), [500, 250]);
  near(layout.spot(layout.WHOLE, FRAME, [1, -1]), [726, 24]);
  near(layout.spot(layout.WHOLE, { width: 300, height: 900, reach: [1, 1] }, [-1, 1]), [24, 576]);
  // One that is longer than high fills a frame that is, too.
  const reach = layout.reach([row('a', [1, 0.2]), row('b', [-0.4, -0.3])]);
  assert.deepEqual(reach, [1, 0.3]);
  near(layout.spot(layout.WHOLE, { width: 1000, height: 500, reach }, [1, 0.2]), [976, 345.2]);
});

test('what is at a pointer stays there while the map is zoomed', () => {
  const view = layout.zoomed(layout.WHOLE, FRAME, 2, [613, 137]);
  const place = [(613 - 500) / 226, (137 - 250) / 226];
  near(layout.spot(view, FRAME, place), [613, 137]);
  near(layout.spot(layout.zoomed(view, FRAME, 3, [613, 137]), FRAME, place), [613, 137]);
});

test('the map cannot be lost: it is no smaller than its frame, and no further away', () => {
  assert.deepEqual(layout.zoomed(layout.WHOLE, FRAME, 0.1), layout.WHOLE);
  assert.deepEqual(layout.moved(layout.WHOLE, FRAME, [4000, -4000]), layout.WHOLE);
  const far = layout.zoomed(layout.WHOLE, FRAME, 1e9);
  assert.equal(far.zoom, 40);
  const moved = layout.moved(far, FRAME, [-1e9, 0]);
  assert.ok(moved.x <= 1 && moved.x > 0.9, moved.x);
  assert.deepEqual(layout.bounded({ x: 3, y: 0, zoom: 0 }), layout.WHOLE);
});

test('a unit is found by a pointer near it, and only near it', () => {
  const rows = [row('0001', [0, 0]), row('0002', [0.1, 0])];
  const found = at => layout.nearest(rows, layout.WHOLE, FRAME, at, 14)?.number;
  assert.equal(found([503, 252]), '0001');
  assert.equal(found([520, 250]), '0002');
  assert.equal(found([500, 270]), undefined);
});

test('arrows lead to what lies ahead, and every unit can be reached', () => {
  const rows = [row('a', [0, 0]), row('b', [0.5, 0.05]), row('c', [0.3, 0.6]), row('d', [-0.4, 0])];
  const next = (from, direction) => layout.towards(rows, from, direction)?.number;
  assert.equal(next(rows[0], [1, 0]), 'b');
  assert.equal(next(rows[0], [0, 1]), 'b', 'the nearer of those below');
  assert.equal(next(rows[1], [0, 1]), 'c');
  assert.equal(next(rows[0], [-1, 0]), 'd');
  assert.equal(next(rows[3], [-1, 0]), undefined);
  const view = layout.reaching({ x: 0, y: 0, zoom: 8 }, FRAME, [0.9, 0.9]);
  const [x, y] = layout.spot(view, FRAME, [0.9, 0.9]);
  assert.ok(x > 0 && x < 1000 && y > 0 && y < 500, `${x} ${y}`);
  assert.deepEqual(layout.reaching(view, FRAME, [0.85, 0.87]), view, 'what is in sight moves nothing');
});

test('units are marked by category: the most frequent have a colour and a form of their own', () => {
  const rows = Array.from({ length: 10 }, (_, kind) =>
    Array.from({ length: 10 - kind }, () => row('', [0, 0], { categories: [`kind ${kind}`, 'second'] }))).flat();
  rows.push(row('', [0, 0]));
  const { legend, mark } = layout.marks(rows, 'category');
  assert.deepEqual(legend.map(({ words }) => words),
    ['kind 0', 'kind 1', 'kind 2', 'kind 3', 'kind 4', 'kind 5', 'other', 'none']);
  const looks = legend.map(one => `${one.mark.colour} ${one.mark.form}`);
  assert.equal(new Set(looks.map(look => look.split(' ')[0])).size, 8, 'colours');
  assert.equal(new Set(looks.map(look => look.split(' ')[1])).size, 8, 'forms');
  assert.equal(mark(rows[0]), legend[0].mark);
  assert.deepEqual(mark(rows.at(-2)), legend[6].mark, 'the rarest is among the others');
  assert.equal(mark(rows.at(-1)), legend[7].mark);
  const few = layout.marks(rows.slice(0, 12), 'category').legend.map(({ words }) => words);
  assert.deepEqual(few, ['kind 0', 'kind 1', 'none']);
});

test('units are marked by what they detect and by their influence', () => {
  const rows = [row('', [0, 0], { unit: { detects: true, influence: 1 } }), row('', [0, 0], { unit: { influence: 5 } }), row('', [0, 0])];
  const detects = layout.marks(rows, 'detects');
  assert.deepEqual(rows.map(detects.mark), [detects.legend[0].mark, detects.legend[1].mark, detects.legend[1].mark]);
  const influence = layout.marks(rows, 'influence');
  assert.equal(influence.ramp, 5);
  assert.deepEqual(rows.map(one => influence.mark(one).share), [1, 0, 0]);
  assert.deepEqual(layout.marks(rows, 'nonsense').legend, detects.legend);
});

test('places come with the data of a layer', () => {
  const rows = layerUnits.rows(json('formats.json').layer_units);
  assert.deepEqual(rows.map(({ unit }) => unit.place), [[-0.5, 1], null]);
});

test('a unit follows the list that it was opened from, and no other', () => {
  const list = { folder: 'networks/n/l/', hash: '#sort=iou', words: 'by IoU', numbers: ['0003', '0001', '0007'], at: '0001' };
  followed.keep(list);
  const found = followed.of('networks/n/l/', '0001', false);
  assert.deepEqual([found.numbers, found.place, found.hash], [list.numbers, 1, list.hash]);
  assert.equal(followed.of('networks/n/l/', '0003', false), null, 'come to from elsewhere');
  assert.equal(followed.of('networks/n/l/', '0003', true), null, 'come back to, but not opened from the list');
  followed.keep({ ...found, at: '0003' });
  assert.equal(followed.of('networks/n/l/', '0003', false).place, 0, 'the next of the list');
  assert.equal(followed.of('networks/n/l/', '0001', false), null);
  assert.equal(followed.of('networks/n/l/', '0001', true).place, 1, 'come back to');
  assert.equal(followed.of('networks/n/l/', '0002', true), null, 'not in the list');
  assert.equal(followed.of('networks/n/m/', '0001', false), null, 'of another layer');
  kept.set('unit-atlas-list', 'not ours');
  assert.equal(followed.of('networks/n/l/', '0001', false), null);
});
