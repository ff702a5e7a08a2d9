// The units of a layer (`LayerUnits` in src/atlas/script.rs) as they are filtered and sorted, and what was
// asked for as it stands in the address.
(() => {
  'use strict';
  const { unitNumber, words } = unitAtlas.page;

  // Units with what they are found by, and their patches.
  function rows(data) {
    const all = unitAtlas.patch.rows(data.patches);
    let before = 0;
    return data.units.map((unit, at) => {
      const patches = all.slice(before, before + unit.shown);
      before += unit.shown;
      const number = unitNumber(at + 1);
      const concept = unit.concept === null ? null : data.concepts[unit.concept];
      const readers = unit.readers.map(reader => data.readers[reader]);
      const categories = unit.categories.map(category => data.categories[category]);
      const text = [number, unit.label, concept ? concept.name : '', unit.words || '', ...readers].join(' ').toLowerCase();
      return { unit, at, number, concept, readers, categories, patches, text };
    });
  }

  // Whether a row is one of those with the value of a filter, by its name. A filter without a value is none.
  const FILTERS = {
    q: (row, text) => words(text).every(word => row.text.includes(word)),
    category: (row, category) => row.categories.includes(category),
    concept: (row, id) => row.concept !== null && row.concept.id === id,
    // `*` for any, else the name after a sign, so that no name is taken for it.
    reader: (row, reader) => (reader === '*' ? row.readers.length > 0 : row.readers.includes(reader.slice(1))),
    detector: ({ unit }, level) => unit.detects === (level === '1'),
    cancer: ({ unit }, percent) => 100 * unit.cancer >= Number(percent) * unit.of
  };

  const falling = value => (a, b) => value(b.unit) - value(a.unit);
  const ORDERS = {
    iou: falling(unit => unit.iou),
    score: falling(unit => unit.sort_score),
    cancer: falling(unit => unit.cancer),
    // Units that are not live have none, and come last.
    influence: falling(unit => (unit.influence === null ? -Infinity : -unit.influence)),
    // Units without one come last.
    auc: falling(unit => (unit.auc === null ? -1 : unit.auc)),
    label: ({ unit: a }, { unit: b }) => (a.label ? 0 : 1) - (b.label ? 0 : 1) || a.label.localeCompare(b.label)
  };

  // The rows that are asked for, in the order that is: by number where none is, and among equals.
  function wanted(all, asked) {
    const filters = Object.keys(FILTERS).filter(name => asked[name]);
    const order = ORDERS[asked.sort] || (() => 0);
    return all.filter(row => filters.every(name => FILTERS[name](row, asked[name])))
      .sort((a, b) => order(a, b) || a.at - b.at);
  }

  // What is asked for as the end of the address, and the other way: null where that names a place of the page.
  function written(asked) {
    const parts = Object.entries(asked).filter(([, value]) => value);
    return `#${parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
  }

  function read(hash) {
    const text = hash.replace(/^#/, '');
    if (text && !text.includes('=')) return null;
    const asked = {};
    text.split('&').forEach(part => {
      const at = part.indexOf('=');
      try {
        if (at > 0) asked[part.slice(0, at)] = decodeURIComponent(part.slice(at + 1));
      } catch { /* not written by this page */ }
    });
    return asked;
  }

  unitAtlas.layerUnits = { rows, wanted, written, read };
})();
