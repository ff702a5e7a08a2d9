// What the pages' scripts compute: which units a layer's page shows, what a search finds, how heat is coloured.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { load } = require('./load.js');

const { layerUnits, searchIndex, heatMap, page } = load('page', 'patch', 'heat-map', 'layer-units', 'slips', 'phrases', 'search-index');

const unit = changes => ({
  label: '', from: 'none', concept: null, iou: 0, detects: false, score: '0', sort_score: 0,
  cancer: 0, of: 4, auc: null, influence: 1, categories: [], readers: [], shown: 0, ...changes
});
const rows = layerUnits.rows({
  concepts: [{ id: 'mass', name: 'mass' }, { id: 'margin-spiculated', name: 'spiculated' }],
  categories: ['Mass', 'Mass - Margin'],
  readers: ['*', 'reader-b'],
  called: [{ id: 'shape-oval', name: 'oval' }, { id: 'calcifications', name: 'calcifications' }],
  patches: { mammogram: [], x: [], y: [], edge: [], score: [], cancer: [], overlay: [] },
  units: [
    unit({ label: 'Zebra', concept: 0, iou: 0.1, detects: true, sort_score: 3, influence: 4, auc: 0.5, cancer: 1 }),
    unit({
      label: 'Edge', from: 'readers', called: 0, concept: 1, iou: 0.3, detects: true, sort_score: 1, influence: 2,
      categories: [0, 1], readers: [1], cancer: 3, groups: true, words: 'spiculated'
    }),
    unit({ from: 'machine', called: 1, concept: 0, iou: 0.02, sort_score: 2, influence: 3, auc: 0.9, readers: [0], cancer: 2 }),
    unit({ concept: 0, iou: 0.02, sort_score: 2, influence: 1, cancer: 4 })
  ]
});
const numbers = asked => layerUnits.wanted(rows, asked).map(row => Number(row.number));

test('a layer is filtered by everything that its page offers', () => {
  assert.deepEqual(numbers({}), [1, 2, 3, 4]);
  assert.deepEqual(numbers({ q: 'SPIC' }), [2]);
  assert.deepEqual(numbers({ q: '000 mass' }), [1, 3, 4]);
  assert.deepEqual(numbers({ q: 'mass reader-b' }), []);
  assert.deepEqual(numbers({ category: 'Mass - Margin' }), [2]);
  assert.deepEqual(numbers({ concept: 'mass' }), [1, 3, 4]);
  assert.deepEqual(numbers({ called: 'shape-oval' }), [2]);
  assert.deepEqual(numbers({ q: 'calcif' }), [3], 'what a machine calls it');
  assert.deepEqual(['readers', 'machine', 'none', 'consensus'].map(source => numbers({ source })), [[2], [3], [1, 4], []]);
  assert.deepEqual(numbers({ reader: '*' }), [2, 3]);
  assert.deepEqual(numbers({ reader: '=*' }), [3], 'a reader with such a name');
  assert.deepEqual(['0', '1'].map(detector => numbers({ detector })), [[3, 4], [1, 2]]);
  assert.deepEqual(['25', '50', '75'].map(cancer => numbers({ cancer })), [[1, 2, 3, 4], [2, 3, 4], [2, 4]]);
  assert.deepEqual(numbers({ groups: '1' }), [2]);
  assert.deepEqual(numbers({ concept: 'mass', cancer: '50', q: '' }), [3, 4]);
});

test('a layer is sorted by everything that its page offers, equals by number', () => {
  const sorted = sort => numbers({ sort });
  assert.deepEqual(sorted('iou'), [2, 1, 3, 4]);
  assert.deepEqual(sorted('score'), [1, 3, 4, 2]);
  assert.deepEqual(sorted('cancer'), [4, 2, 3, 1]);
  assert.deepEqual(sorted('influence'), [4, 2, 3, 1]);
  assert.deepEqual(sorted('auc'), [3, 1, 2, 4]);
  assert.deepEqual(sorted('label'), [2, 1, 3, 4], 'those without one last');
  assert.deepEqual(sorted('something else'), [1, 2, 3, 4]);
});

test('a view goes into the address and comes out of it', () => {
  const asked = { q: 'a & b=c #é', category: '', sort: 'iou' };
  assert.equal(layerUnits.written(asked), '#q=a%20%26%20b%3Dc%20%23%C3%A9&sort=iou');
  assert.deepEqual(layerUnits.read(layerUnits.written(asked)), { q: asked.q, sort: 'iou' });
  assert.deepEqual(layerUnits.read(''), {});
  assert.equal(layerUnits.read('#concepts'), null, 'a place of the page');
  assert.deepEqual(layerUnits.read('#q=%E0%A4%A&sort=iou'), { sort: 'iou' }, 'not written by a page');
});

const entries = searchIndex.entries({
  pages: [{ title: 'Methods', note: '', href: 'methods/index.html', prose: 'Units are scored by Krippendorff’s alpha, which the page explains at some length before it goes on to the thresholds of the units and to their patches.' }],
  terms: [{ title: 'spiculated', note: 'Mass - Margin', href: 'concepts/s/index.html', more: 'stellate' }],
  layers: [{ name: 'net/conv5', units: 12, labels: { 7: 'Spiculated edge' }, words: { 9: 'reader-b spiculated' } }],
  mammograms: [{ id: 'case-7', view: 'left CC' }]
});
const titles = text => searchIndex.find(entries, page.words(text)).map(({ entry }) => entry.title);

test('a search finds what holds all words, the nearest first', () => {
  assert.deepEqual(titles('METHODS'), ['Methods']);
  // The term by its name, then the unit so called, then the one of which it was said.
  assert.deepEqual(titles('spiculated'), ['spiculated', 'net/conv5/0007', 'net/conv5/0009']);
  assert.deepEqual(titles('net/conv5/0011'), ['net/conv5/0011']);
  assert.equal(titles('conv5 7')[0], 'net/conv5/0007', 'by its number');
  assert.equal(titles('7')[0], 'net/conv5/0007');
  assert.deepEqual(titles('left case'), ['case-7']);
  assert.deepEqual(titles('left spiculated'), []);
  assert.deepEqual(titles(''), []);
  assert.equal(titles('conv5').length, 12);
});

test('the prose of pages is found after everything shorter, with its passage', () => {
  assert.deepEqual(titles('thresholds'), ['Methods']);
  assert.deepEqual(titles('krippendorf alpha'), ['Methods']);
  assert.deepEqual(titles('tresholds'), ['Methods'], 'with a typo');
  const passage = text => searchIndex.passage(searchIndex.find(entries, page.words(text))[0]);
  const [before, found, after] = passage('thresholds');
  assert.deepEqual(found, ['thresholds', true]);
  assert.ok(before[0].startsWith('… ') && before[0].endsWith('to the '), before);
  assert.ok(after[0].startsWith(' of the units'), after);
  assert.deepEqual(passage('tresholds')[1], ['thresholds', true], 'a typo is quoted as it was meant');
  assert.deepEqual(passage('methods units thresholds').filter(([, hit]) => hit).map(([text]) => text),
    ['thresholds', 'units'], 'where the words stand together, and each of them marked');
  assert.equal(passage('methods'), null, 'the title says it');
});

test('a hit leads to what was found on its page', () => {
  const place = text => searchIndex.place(searchIndex.find(entries, page.words(text))[0]);
  assert.equal(place('methods'), 'methods/index.html');
  assert.equal(place('tresholds of'), 'methods/index.html#find=thresholds%20of');
  assert.deepEqual(searchIndex.asked('#find=thresholds%20of'), ['thresholds', 'of']);
  assert.deepEqual(searchIndex.asked('#find=a%20big'), ['big'], 'a letter by itself is everywhere');
  assert.deepEqual(searchIndex.asked('#look=heat&find=thresholds'), ['thresholds'], 'beside what else is looked at');
  assert.deepEqual(['', '#unit=a/b/0001', '#find=', '#patches'].map(searchIndex.asked), [[], [], [], []]);
});

test('a text is cut where words stand in it', () => {
  const { pieces } = searchIndex;
  assert.deepEqual(pieces('Mass, a mass', ['mass']), [['Mass', true], [', a ', false], ['mass', true]]);
  assert.deepEqual(pieces('spiculated edge', ['edge', 'spic', 'spiculated']), [['spiculated', true], [' ', false], ['edge', true]],
    'the longest of those that begin together');
  assert.deepEqual(pieces('none', ['x']), [['none', false]]);
  assert.deepEqual(pieces('', ['x']), []);
  assert.equal(pieces('İ mass', ['mass']).map(([text]) => text).join(''), 'İ mass', 'whatever letters do');
});

test('a search knows what is meant: units that a machine finds close to it, closest first', () => {
  const mass = { id: 'mass', name: 'mass', synonyms: ['tumour'] };
  const margin = { id: 'margin-spiculated', name: 'spiculated', synonyms: ['stellate'] };
  const oval = { id: 'shape-oval', name: 'oval', synonyms: ['egg-shaped'] };
  const groups = [{ category: 'Mass', terms: [mass] }, { category: 'Mass - Margin', terms: [margin] },
    { category: 'Mass - Shape', terms: [oval] }];
  const units = { mass: [[0, 4, 5.1], [0, 2, 3]], 'margin-spiculated': [[0, 2, 2.5], [0, 12, 6]] };
  const data = {
    pages: [{ title: 'Methods', href: 'methods/index.html', prose: 'A tumour is drawn.' }],
    terms: [{ title: 'mass', note: 'Mass', href: 'concepts/mass/index.html', more: 'mass tumour' }],
    layers: [{ name: 'net/last', units: 12, labels: { 2: 'edges' }, words: {} }],
    mammograms: [], close: { groups, units }
  };
  const all = searchIndex.entries(data);
  const found = typed => searchIndex.search(data, all, typed).map(({ entry }) => `${entry.title}: ${entry.note}`);
  const four = 'net/last/0004: close to mass';
  const ofMass = ['mass: Mass', four, 'net/last/0002: edges · close to mass', 'Methods: '];
  assert.deepEqual(found('tumour'), ofMass, 'a synonym');
  assert.deepEqual(found('tumours'), ofMass, 'its plural');
  assert.deepEqual(found('stellate mass'), ['net/last/0002: edges · close to spiculated and mass',
    'net/last/0012: close to spiculated', four], 'what is close to both terms is first');
  assert.deepEqual(found('egg-shaped'), [four, 'net/last/0002: edges · close to mass'], 'no unit is close to the finer term');
  assert.deepEqual(found('edges'), ['net/last/0002: edges']);
  const named = searchIndex.entries({ ...data, layers: [{ ...data.layers[0], labels: { 2: 'mass', 7: 'a mass' } }] });
  const order = searchIndex.search(data, named, 'mass').map(({ entry }) => entry.number).filter(number => number);
  assert.deepEqual(order, [2, 7, 4], 'what is called so comes before what is only close');
  assert.deepEqual(searchIndex.search({ ...data, close: undefined }, all, 'stellate'), []);
  assert.deepEqual(searchIndex.search(null, [], 'mass'), [], 'nothing is loaded yet');
});

test('a search forgives typos in words that nothing holds', () => {
  assert.deepEqual(titles('spciulated'), ['spiculated', 'net/conv5/0007', 'net/conv5/0009'], 'letters swapped');
  assert.deepEqual(titles('spiculatd edge'), ['net/conv5/0007'], 'one left out');
  assert.equal(titles('speculated')[0], 'spiculated', 'another one');
  assert.equal(titles('spiculsted')[0], 'spiculated');
  assert.equal(titles('spikula')[0], 'spiculated', 'while it is being typed');
  assert.deepEqual(titles('methosd'), ['Methods']);
  assert.deepEqual(titles('0013'), [], 'a number is no typo of another');
  assert.deepEqual(titles('zzzzzz'), []);
  assert.deepEqual(titles('edge'), ['net/conv5/0007'], 'what is found as typed is not corrected');
});

test('heat is between the cells, and level beyond the outermost', () => {
  const taps = heatMap.taps({ edge: 8, centre: 2, stride: 4 }, 2, 8);
  const at = taps.map(({ low, high, share }) => low * (1 - share) + high * share);
  assert.deepEqual(at, [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1]);
  assert.ok(taps.every(({ low, high }) => low >= 0 && high <= 1));
});

test('no activation is clear, and more of it brighter and denser', () => {
  assert.equal(heatMap.colour(0)[3], 0);
  assert.deepEqual(heatMap.colour(1), [252, 255, 164, 255 * 0.75]);
  const light = level => {
    const [red, green, blue] = heatMap.colour(level);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (let level = 1; level < 64; level += 1) {
    assert.ok(light(level / 63) > light((level - 1) / 63), `level ${level}`);
    assert.ok(heatMap.colour(level / 63)[3] >= heatMap.colour((level - 1) / 63)[3]);
  }
  const heat = { rows: 1, columns: 2, edge: 2, centre: 0.5, stride: 1 };
  const row = [...heatMap.colour(0), ...heatMap.colour(1)];
  assert.deepEqual(heatMap.pixels(heat, 'A/', 2), Uint8ClampedArray.from([...row, ...row]));
});
