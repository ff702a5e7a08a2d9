// What is pinned, and what a comparison computes of it.
'use strict';
const assert = require('node:assert/strict');
const { Buffer } = require('node:buffer');
const { test } = require('node:test');
const { load, json } = require('./load.js');

const { pinned, compared } = load('page', 'patch', 'pinned', 'compared');
const formats = json('formats.json');
const names = Array.from({ length: 9 }, (_, at) => `net/conv5/000${at + 1}`);

test('units are pinned once, in order, as many as fit', () => {
  assert.deepEqual(pinned.toggled([], names[0]), [names[0]]);
  assert.deepEqual(pinned.toggled(names.slice(0, 3), names[1]), [names[0], names[2]], 'and unpinned');
  assert.equal(pinned.MOST, 6);
  assert.equal(pinned.toggled(names.slice(0, 6), names[6]), null, 'there is no room');
  assert.deepEqual(pinned.toggled(names.slice(0, 6), names[5]), names.slice(0, 5));
  assert.equal(pinned.toggled([], 'no unit'), null);
});

test('what was kept is read, whatever became of it', () => {
  assert.deepEqual(pinned.kept(JSON.stringify(names.slice(0, 2))), names.slice(0, 2));
  assert.deepEqual([null, '', '{"a":1}', 'torn [', '"a/b/0001"'].map(pinned.kept), [[], [], [], [], []]);
  assert.deepEqual(pinned.kept(JSON.stringify(['../..', 7, names[0], names[0], 'a/b/c/0001'])), [names[0]]);
  assert.equal(pinned.kept(JSON.stringify(names)).length, pinned.MOST);
});

test('a comparison goes into the address and comes out of it', () => {
  const units = ['vgg16/conv5_3/0063', 'resnet18/layer4/0012'];
  assert.equal(pinned.written(units), '#units=vgg16/conv5_3/0063,resnet18/layer4/0012');
  assert.deepEqual(pinned.read(pinned.written(units)), units);
  assert.deepEqual(pinned.read('#units=vgg16%2Fconv5_3%2F0063'), [units[0]], 'as some programs write it');
  assert.deepEqual(['#units=', '#units=x,y', '#units=%E0%A4%A'].map(pinned.read), [[], [], []]);
  assert.deepEqual(['', '#same', '#unit=a/b/0001'].map(pinned.read), [null, null, null]);
});

test('what an address asks for and is not compared is counted', () => {
  assert.equal(pinned.dropped(''), 0);
  assert.equal(pinned.dropped(`#units=${names.slice(0, 6).join(',')},${names[0]}`), 0, 'twice is once');
  assert.equal(pinned.dropped(`#units=${names.slice(0, 8).join(',')}`), 2, 'there is room for six');
  assert.equal(pinned.dropped(`#units=net/conv5/95,__proto__,${names[0]},`), 2, 'no names of units');
});

test('a link tells which unit it leads to', () => {
  assert.equal(pinned.unitOf('../../networks/vgg16/conv5_3/0063/index.html'), 'vgg16/conv5_3/0063');
  assert.equal(pinned.unitOf('networks/a/b/12345/index.html#patches'), 'a/b/12345');
  assert.deepEqual(['networks/a/b/index.html', 'mammograms/x/index.html', '', null].map(pinned.unitOf), [null, null, null, null]);
});

test('shares are read as the build wrote them', () => {
  const { unit, shares } = formats.compared;
  assert.equal(shares.length, unit.shares.length / 2);
  shares.forEach((known, at) => {
    const read = compared.share(unit, at);
    assert.ok(read >= known && read - known < 1 / 4096 + 1e-12, `${read} for ${known}`);
  });
  assert.equal(compared.share(unit, shares.length), null, 'beyond its end');
  assert.equal(compared.share({ shares: '' }, 0), null, 'of a unit without scores');
  assert.equal(compared.share({ shares: '?A' }, 0), null);
});

test('a share is told as a top, never better than it is', () => {
  const told = [1 / 4096, 0.001, 0.0101, 0.0994, 0.0996, 0.101, 0.5, 1, null].map(compared.words);
  assert.deepEqual(told, ['top 0.1%', 'top 0.1%', 'top 1.1%', 'top 10%', 'top 10%', 'top 11%', 'top 50%', 'lowest', 'not known']);
});

test('a bar grows by the same step for each tenfold', () => {
  const lengths = [1 / 4096, 1 / 64, 1, null].map(compared.length);
  lengths.forEach((length, at) => assert.ok(Math.abs(length - [100, 50, 0, 0][at]) < 1e-9, String(length)));
});

test('each patch of the units stands once, with what all of them make of it', () => {
  const patches = x => ({
    mammogram: x.map(() => 'm'), x, y: x.map(() => 0), edge: x.map(() => 9), score: x.map(String), cancer: x.map(() => false), overlay: x.map(() => '')
  });
  const level = part => {
    const at = Math.ceil(part * 4096) - 1;
    const bytes = Buffer.from([0, Math.floor(at / 256), at % 256]);
    return bytes.toString('base64').slice(2);
  };
  const shares = parts => parts.map(level).join('');
  const a = { split: 'test', places: [0, 1, 2], top: patches([10, 11, 12]), shares: shares([1 / 64, 2 / 64, 3 / 64]) };
  const b = { split: 'test', places: [1, 2], top: patches([11, 12]), shares: shares([40 / 64, 1 / 64, 2 / 64]) };
  const other = { split: 'validation', places: [0], top: patches([90]), shares: shares([1 / 64]) };
  const rows = compared.rows([a, b, other], 2);
  assert.deepEqual(rows.map(({ patch: { x } }) => x), [10, 11, 12, 90]);
  assert.deepEqual(rows[1].of, [{ unit: 0, rank: 2 }, { unit: 1, rank: 1 }], 'of both');
  assert.deepEqual(rows.map(row => row.shares), [
    [1 / 64, 40 / 64, null], [2 / 64, 1 / 64, null], [3 / 64, 2 / 64, null], [null, null, 1 / 64]
  ], 'of other patches nothing is known');
});

test('the command draws the units that are compared', () => {
  assert.equal(compared.command(names.slice(0, 2)), 'unit-atlas figure table net/conv5/0001 net/conv5/0002');
});
