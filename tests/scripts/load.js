// Loads scripts of the pages into this process, as a page does: in order, each adding its part to `unitAtlas`.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const ASSETS = path.join(__dirname, '../../themes/default/assets');

// What a page has before: `unitAtlas`, empty, and no element.
globalThis.unitAtlas = {};
globalThis.window = globalThis;
globalThis.document = { getElementById: () => null };

function load(...names) {
  names.forEach(name => {
    const file = path.join(ASSETS, `${name}.js`);
    vm.runInThisContext(fs.readFileSync(file, 'utf8'), { filename: file });
  });
  return globalThis.unitAtlas;
}

function json(name) {
  return JSON.parse(fs.readFileSync(path.join(__dirname, name), 'utf8'));
}

module.exports = { load, json };
