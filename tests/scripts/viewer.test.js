// What the viewer computes: where pictures lie, through which line their grey levels go, which files they are made of.
// And that the library which draws them is the one that its README names.
'use strict';
const assert = require('node:assert/strict');
const { Buffer } = require('node:buffer');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { load, json } = require('./load.js');

const { geometry, greys, depth, tiles, gestures, ruler, viewerSettings } =
  load('page', 'viewer-geometry', 'viewer-greys', 'viewer-depth', 'viewer-tiles', 'viewer-gestures', 'viewer-ruler', 'viewer-settings');

const near = (got, wanted) => got.forEach((value, at) => assert.ok(Math.abs(value - wanted[at]) < 1e-9, `${got} ${wanted}`));
const SIZE = [4000, 5000];
const PANE = [1000, 800];

test('a picture fits its pane, in the middle', () => {
  const view = geometry.fit(SIZE, PANE);
  assert.equal(view.scale, 0.16);
  near(geometry.toPane(view, PANE, [0, 0]), [180, 0]);
  near(geometry.toPane(view, PANE, SIZE), [820, 800]);
  assert.equal(geometry.matrix(view, PANE), 'matrix(0.16 0 0 0.16 180 0)');
  assert.equal(geometry.percent(view, 2), 32);
});

test('what lies at the pointer stays there while the picture is zoomed', () => {
  const view = geometry.fit(SIZE, PANE);
  const place = geometry.toPicture(view, PANE, [700, 100]);
  near(place, [3250, 625]);
  for (const scale of [0.08, 1, 7]) near(geometry.toPane(geometry.scaled(view, PANE, [700, 100], scale), PANE, place), [700, 100]);
});

test('a drag takes the picture along', () => {
  const view = geometry.scaled(geometry.fit(SIZE, PANE), PANE, [500, 400], 0.5);
  const before = geometry.toPane(view, PANE, [2000, 2000]);
  near(geometry.toPane(geometry.moved(view, 30, -12), PANE, [2000, 2000]), [before[0] + 30, before[1] - 12]);
});

test('no view loses its picture, or is smaller than half of it or larger than sixteen pixels for one', () => {
  const lost = geometry.clamped({ x: -900, y: 7000, scale: 1000 }, SIZE, PANE, 2);
  assert.deepEqual(lost, { x: 0, y: 5000, scale: 8 });
  assert.equal(geometry.clamped({ x: 0, y: 0, scale: 0 }, SIZE, PANE, 1).scale, 0.08);
  // One to one is among them for a picture that is smaller than its pane, too.
  assert.equal(geometry.clamped({ x: 50, y: 50, scale: 0.5 }, [100, 100], PANE, 2).scale, 0.5);
  assert.equal(geometry.clamped({ x: 50, y: 50, scale: 12 }, [100, 100], PANE, 1).scale, 12);
});

test('a patch is shown with what lies around it', () => {
  const view = geometry.around({ x: 100, y: 200, width: 400, height: 400 }, PANE, 0.5);
  assert.deepEqual(view, { x: 300, y: 400, scale: 1 });
});

test('linked views share the scale and the share of the picture, the other breast the other way round', () => {
  const view = { x: 1000, y: 2500, scale: 0.7 };
  assert.deepEqual(geometry.beside(view, SIZE, [2000, 3000], false), { x: 500, y: 1500, scale: 0.7 });
  assert.deepEqual(geometry.beside(view, SIZE, [2000, 3000], true), { x: 1500, y: 1500, scale: 0.7 });
  // There and back again.
  assert.deepEqual(geometry.beside(geometry.beside(view, SIZE, [2000, 3000], true), [2000, 3000], SIZE, true), view);
  assert.equal(geometry.common([SIZE, [2000, 3000]], [400, 800]), 0.1);
  const side = words => ({ view: words });
  assert.equal(geometry.mirrored(side('LEFT CC'), side('right MLO')), true);
  assert.equal(geometry.mirrored(side('left CC'), side('left MLO')), false);
  assert.equal(geometry.mirrored(side(''), side('left MLO')), false);
});

test('views hang as they do on a light box, each as large as can be', () => {
  const views = ['left MLO', 'left CC', '', 'right MLO', 'right CC'].map(view => ({ view }));
  assert.deepEqual(geometry.hung(views).map(({ view }) => view), ['right CC', 'left CC', '', 'right MLO', 'left MLO']);
  const four = Array(4).fill(SIZE);
  assert.equal(geometry.columns(four, [2048, 2560]), 2);
  assert.equal(geometry.columns(four, [3840, 1600]), 4);
  assert.equal(geometry.columns([SIZE], [300, 3000]), 1);
  assert.equal(geometry.columns([SIZE, SIZE], [400, 2000]), 1);
});

test('windows are those of DICOM, level by level', () => {
  const golden = JSON.parse(fs.readFileSync(path.join(__dirname, '../golden/windowing.json'), 'utf8'));
  assert.equal(golden.windows.length, 5);
  golden.windows.forEach(({ centre, width, levels }) => {
    const { slope, intercept } = greys.line({ centre, width, invert: false });
    const inverted = greys.line({ centre, width, invert: true });
    levels.forEach((wanted, level) => {
      const drawn = ({ slope: a, intercept: b }) => Math.min(1, Math.max(0, a * level / 255 + b)) * 255;
      assert.ok(Math.abs(drawn({ slope, intercept }) - wanted) < 1e-5, `${centre}/${width}: ${level}`);
      assert.ok(Math.abs(drawn(inverted) - (255 - wanted)) < 1e-5, `${centre}/${width} inverted: ${level}`);
    });
  });
  assert.deepEqual(greys.line(greys.PLAIN), { slope: 1, intercept: 0 });
  assert.ok(greys.plain(greys.PLAIN) && !greys.plain({ ...greys.PLAIN, invert: true }));
});

// Of a source with 12 bits; as most ask for the whole of it, the first window is.
const TWELVE = depth.valid({ first: 0, step: 1, greatest: 4095, windows: [[2048, 4096], [1000, 300]], function: 'linear', inverted: false });

test('twelve bits through seven windows are those of pydicom, value by value', () => {
  const golden = JSON.parse(fs.readFileSync(path.join(__dirname, '../golden/windowing.json'), 'utf8'));
  assert.equal(golden.deep.length, 7);
  golden.deep.forEach(({ function: name, centre, width, levels }) => {
    const source = { ...TWELVE, function: name };
    const window = { ...depth.levels(source, [centre, width]), invert: false };
    const wanted = Buffer.from(levels, 'base64');
    const found = depth.table(source, window);
    assert.equal(wanted.length, 4096);
    wanted.forEach((level, value) => assert.equal(found[value], level, `${name} ${centre}/${width}: ${value}`));
    const inverted = depth.table(source, { ...window, invert: true });
    // A level in the middle of two is rounded up in both.
    wanted.forEach((level, value) => assert.ok(Math.abs(inverted[value] - (255 - level)) <= 1, `${centre}/${width} inverted: ${value}`));
  });
});

test('windows of a source are shown in its unit and go to others in their share', () => {
  assert.deepEqual(depth.stored(TWELVE, greys.PLAIN), [2048, 4096]);
  assert.deepEqual(depth.levels(TWELVE, [2048, 4096]), { centre: 128, width: 256 });
  assert.deepEqual(depth.stored(TWELVE, depth.levels(TWELVE, [700, 3])), [700, 3]);
  assert.deepEqual(depth.presets(TWELVE).map(({ title }) => title), ['Window 1: 2048 / 4096', 'Window 2: 1000 / 300', 'All values: 2048 / 4096']);
  assert.deepEqual([12.25, -3, 1234.56, 3071.5, 0.002].map(depth.words), ['12.3', '-3', '1235', '3071.5', '0.002']);
  // As narrow as a single value, by parts of the width; and as wide as all values, however narrow the first window is.
  const limits = depth.limits(TWELVE);
  const found = greys.dragged({ centre: 128, width: 0.5, invert: false }, -128, 0, limits);
  assert.deepEqual(found, { centre: 128, width: 0.25, invert: false });
  assert.deepEqual(depth.stored(TWELVE, greys.dragged(found, -9000, 0, limits)), [2048, 1]);
  const narrow = { ...TWELVE, windows: [[3000, 200]] };
  const all = depth.presets(narrow)[1].window;
  assert.deepEqual(depth.stored(narrow, greys.valid(all, depth.limits(narrow))).map(Math.round), [2048, 4096]);
  assert.deepEqual(viewerSettings.read(JSON.stringify(all), false).width, all.width);
});

test('padding is black, unless all is inverted; a curve is stretched with its window', () => {
  const { greys: written } = json('formats.json');
  const source = depth.valid(written);
  const table = invert => depth.table(source, { ...greys.PLAIN, invert });
  assert.deepEqual([table(false)[0], table(true)[0], table(false)[4096], table(true)[4096]], [0, 255, 255, 0]);
  const white = depth.valid({ ...written, inverted: true, padding: 4097 });
  const shown = depth.table(white, greys.PLAIN);
  assert.deepEqual([shown[1], shown[4096], shown[4097]], [255, 0, 0]);
  const curve = Buffer.from([0, 200, 255]).toString('base64');
  const curved = depth.valid({ first: 10, step: 1, greatest: 4, windows: [[12, 4]], function: 'curve', curve });
  assert.deepEqual(Array.from(depth.table(curved, greys.PLAIN)), [0, 200, 200, 255, 255]);
  assert.deepEqual(Array.from(depth.table(curved, { ...greys.PLAIN, width: 128 })), [0, 0, 200, 255, 255]);
  const wrong = [null, {}, { ...written, step: 0 }, { ...written, windows: [] }, { ...written, function: 'gamma' },
    { ...written, function: 'curve' }, { ...written, greatest: 70000 }, { ...written, first: NaN }];
  wrong.forEach(about => assert.equal(depth.valid(about), null));
});

test('a tile is unpacked to the codes that were packed', async () => {
  // Packed by src/atlas/depth.rs: four columns, three rows.
  const codes = [0, 65535, 7, 4095, 12, 13, 14, 15, 500, 400, 300, 65535];
  const { packed } = json('formats.json');
  assert.deepEqual(Array.from(await depth.unpack(packed, 4)), codes);
  await assert.rejects(depth.unpack('AAAA', 4));
  const pixels = new Uint8ClampedArray(8);
  depth.paint(Uint16Array.of(1, 0), Uint8Array.of(9, 200), pixels);
  assert.deepEqual(Array.from(pixels), [200, 200, 200, 255, 9, 9, 9, 255]);
});

test('a length is counted by the size of a pixel, in millimetres', () => {
  assert.equal(ruler.words(ruler.length([[100, 100], [400, 500]], 50)), '25.0 mm');
  assert.equal(ruler.words(ruler.length([[0, 0], [0, 1]], 94.1)), '0.1 mm');
});

test('pixels of the source lie on those of the screen where each takes one or more in full', () => {
  for (const [scale, ratio] of [[1, 1], [0.5, 2], [2, 1], [0.8, 1.25]]) {
    const view = geometry.aligned({ x: 1000.3, y: 777.77, scale }, [1001, 800], ratio);
    const [left, top] = geometry.toPane(view, [1001, 800], [0, 0]).map(at => at * ratio);
    near([left, top], [Math.round(left), Math.round(top)]);
    assert.ok(Math.abs(view.x - 1000.3) <= 0.5 / scale / ratio + 1e-9);
  }
  assert.deepEqual([1, 2, 0.5, 1.5].map(scale => geometry.exact({ scale }, 1)), [true, true, false, false]);
  const between = { x: 1000.3, y: 777.77, scale: 0.7 };
  assert.equal(geometry.aligned(between, [1001, 800], 1), between);
});

test('the chest walls of a pair lie together', () => {
  const [right, left] = ['RIGHT CC', 'left CC'].map(view => geometry.fitBeside([400, 500], [600, 500], 1, view));
  assert.equal(geometry.toPane(right, [600, 500], [400, 0])[0], 600);
  assert.equal(geometry.toPane(left, [600, 500], [0, 0])[0], 0);
  assert.deepEqual(geometry.fitBeside([400, 500], [600, 500], 1, 'CC'), geometry.fit([400, 500], [600, 500]));
  const views = ['right CC', 'left CC', 'right MLO', 'left MLO'].map(view => ({ view }));
  assert.deepEqual([0, 1, 2, 3].map(at => geometry.partner(views, at)), [1, 0, 3, 2]);
  assert.equal(geometry.partner([{ view: 'left CC' }, { view: 'left MLO' }], 1), 0);
});

test('a drag changes window and level by a level for a pixel, within bounds', () => {
  assert.deepEqual(greys.dragged(greys.PLAIN, -100, -40), { centre: 88, width: 156, invert: false });
  assert.deepEqual(greys.dragged(greys.PLAIN, -9000, 9000), { centre: 384, width: 2, invert: false });
  assert.deepEqual(greys.valid({ centre: '7', width: NaN, invert: 1 }), { centre: 128, width: 256, invert: false });
});

// A source of 1300 by 1000 pixels, whose halves were rounded up.
const PYRAMID = tiles.pyramid({ size: [1300, 1000], tiles: { src: 'mammograms/a/tiles/', edge: 512, sizes: [[325, 250], [650, 500], [1300, 1000]] } });

test('tiles have their addresses and places', () => {
  assert.deepEqual([0, 1, 2].map(PYRAMID.counts), [[1, 1], [2, 1], [3, 2]]);
  assert.equal(PYRAMID.path(2, 1, 0), 'mammograms/a/tiles/2/1_0.jpg');
  assert.deepEqual(PYRAMID.box(2, 2, 1), [1024, 512, 276, 488]);
  near(PYRAMID.bounds(2, 2, 1), [1024 / 1300, 512 / 1300, 276 / 1300, 488 / 1300]);
  // Every level covers the whole picture, each place once.
  for (let level = 0; level < PYRAMID.levels; level += 1) {
    const [columns, rows] = PYRAMID.counts(level);
    const [x, y, w, h] = PYRAMID.bounds(level, columns - 1, rows - 1);
    near([x + w, y + h], [1, 1000 / 1300]);
    assert.deepEqual(PYRAMID.at(level, [1, 1000 / 1300]), [columns - 1, rows - 1]);
    assert.deepEqual(PYRAMID.at(level, [x + w / 2, y + h / 2]), [columns - 1, rows - 1]);
    assert.deepEqual(PYRAMID.at(level, [0, 0]), [0, 0]);
  }
});

test('one file covers the source whatever its own size', () => {
  const whole = tiles.pyramid({ size: [4000, 5001], src: 'mammograms/a.jpg', pixels: [720, 900] });
  assert.deepEqual([whole.levels, whole.counts(0), whole.path(0, 0, 0)], [1, [1, 1], 'mammograms/a.jpg']);
  near(whole.bounds(0, 0, 0), [0, 0, 1, 5001 / 4000]);
  assert.deepEqual(whole.box(0, 0, 0), [0, 0, 720, 900]);
  // An address that the page has already stands for it; tiles go before.
  const ready = { size: [2, 2], pixels: [2, 2], address: 'data:,' };
  assert.equal(tiles.pyramid(ready).address, 'data:,');
  assert.equal(tiles.pyramid({ ...ready, tiles: { src: 'a/', edge: 2, sizes: [[2, 2]] } }).address, null);
});

test('tiles that cannot be are not drawn', () => {
  const good = { src: 'a/', edge: 512, sizes: [[1, 2]] };
  assert.ok(tiles.valid(good));
  for (const wrong of [undefined, null, {}, { ...good, edge: 0 }, { ...good, sizes: [] }, { ...good, sizes: [[1]] }, { ...good, sizes: [[1, 0.5]] }]) {
    assert.equal(tiles.valid(wrong), false);
  }
});

test('a wheel zooms by what it turns, the same there and back', () => {
  const turn = (deltaY, more) => gestures.wheel({ deltaY, deltaMode: 0, ctrlKey: false, ...more });
  assert.ok(turn(-100) > 1.15 && turn(-100) < 1.25);
  assert.ok(Math.abs(turn(-100) * turn(100) - 1) < 1e-12);
  // Lines are longer than pixels; a touchpad's pinch counts for more; none runs away.
  assert.ok(turn(-3, { deltaMode: 1 }) > turn(-3));
  assert.ok(turn(-10, { ctrlKey: true }) > turn(-10));
  assert.equal(turn(-1e9), turn(-240));
});

test('two fingers zoom by how far they part, around their middle', () => {
  const { factor, at, dx, dy } = gestures.pinch([[0, 0], [100, 0]], [[-50, 10], [150, 10]]);
  assert.deepEqual([factor, at, dx, dy], [2, [50, 10], 0, 10]);
  assert.ok(Number.isFinite(gestures.pinch([[5, 5], [5, 5]], [[0, 0], [9, 9]]).factor));
});

test('what was kept is used as far as it makes sense', () => {
  const usual = viewerSettings.read(null, false);
  assert.deepEqual([usual.tool, usual.width, usual.overlay, usual.grid, usual.linked], ['window', 256, true, false, true]);
  assert.equal(viewerSettings.read(null, true).tool, 'pan');
  const kept = viewerSettings.read(JSON.stringify({ ...usual, tool: 'lens', width: 90, grid: true }), true);
  assert.deepEqual([kept.tool, kept.width, kept.grid], ['lens', 90, true]);
  for (const wrong of ['', '[]', '3', '{"tool":"saw","width":"wide","overlay":1}']) {
    assert.deepEqual(viewerSettings.read(wrong, false), usual);
  }
});

test('a page and a handout have every part of it', () => {
  const theme = path.join(__dirname, '../../themes/default');
  const read = name => fs.readFileSync(path.join(theme, name), 'utf8');
  const parts = fs.readdirSync(path.join(theme, 'assets')).filter(name => /^viewer.*\.js$/.test(name)).map(name => name.slice(0, -3));
  const [, listed] = /for name in \[([^\]]+)\]/.exec(read('templates/handout.html'));
  const within = listed.match(/"[^"]+"/g).map(name => name.slice(1, -1));
  assert.deepEqual(within.filter(name => name.startsWith('viewer')).sort(), parts.sort());
  assert.ok(within.includes('vendor/openseadragon.min'));
  const [, loaded] = /PARTS = \[([^\]]+)\]/.exec(read('assets/viewer-open.js'));
  assert.deepEqual([...loaded.match(/[a-z]+/g).map(name => `viewer-${name}`), 'viewer', 'viewer-open'].sort(), parts);
  // In the same order, for each builds on those before.
  assert.deepEqual(within.filter(name => name.startsWith('viewer-')).slice(1), loaded.match(/[a-z]+/g).map(name => `viewer-${name}`));
});

test('the library is the one that its README names, and asks nobody', () => {
  const folder = path.join(__dirname, '../../themes/default/assets/vendor');
  const readme = fs.readFileSync(path.join(folder, 'README.md'), 'utf8');
  const rows = Array.from(readme.matchAll(/\| `([^`]+)` \|[^\n]*\| `([0-9a-f]{64})` \|/g));
  const named = rows.map(([, name]) => name).sort();
  assert.deepEqual(named, fs.readdirSync(folder).filter(name => name !== 'README.md').sort());
  rows.forEach(([, name, digest]) => {
    const bytes = fs.readFileSync(path.join(folder, name));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), digest, name);
  });
  const [, version] = /OpenSeadragon (\d+\.\d+\.\d+)/.exec(readme);
  assert.ok(fs.readFileSync(path.join(folder, 'openseadragon.min.js'), 'utf8').startsWith(`//! openseadragon ${version}\n`));
});
