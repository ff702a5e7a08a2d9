// The units of a layer (`LayerUnits` in src/atlas/script.rs) as they are filtered and sorted, and what was
// asked for as it stands in the address.
(() => {
  'use strict';
  const { unitNumber, words } = unitAtlas.page;

  // Units with what they are found by, and their patches.
  function rows(data) {
    const all = unitAtlas.patch.rows(data.patches);
    let before = 0;
    const made = data.units.map((unit, at) => {
      const patches = all.slice(before, before + unit.shown);
      before += unit.shown;
      const number = unitNumber(at + 1);
      const concept = unit.concept === null ? null : data.concepts[unit.concept];
      const called = unit.called === undefined ? null : data.called[unit.called];
      const readers = unit.readers.map(reader => data.readers[reader]);
      const categories = unit.categories.map(category => data.categories[category]);
      const text = [number, unit.label, concept ? concept.name : '', called ? called.name : '', unit.words || '', ...readers].join(' ').toLowerCase();
      return { unit, at, number, concept, called, readers, categories, patches, text };
    });
    // Units without a label come last. Letters are compared once, not with each choice of the order.
    const { compare } = new Intl.Collator();
    const by = ({ unit: a }, { unit: b }) => (a.label ? 0 : 1) - (b.label ? 0 : 1) || compare(a.label, b.label);
    let place = 0;
    Array.from(made).sort(by).forEach((row, at, sorted) => {
      if (at > 0 && by(sorted[at - 1], row) !== 0) place = at;
      row.label = place;
    });
    return made;
  }

  // By the name of a filter: what tells the rows with its value. A filter without a value is none.
  const FILTERS = {
    q: text => {
      const all = words(text);
      return row => all.every(word => row.text.includes(word));
    },
    category: category => row => row.categories.includes(category),
    called: id => row => row.called !== null && row.called.id === id,
    source: id => ({ unit }) => unit.from === id,
    concept: id => row => row.concept !== null && row.concept.id === id,
    // `*` for any, else the name after a sign, so that no name is taken for it.
    reader: reader => row => (reader === '*' ? row.readers.length > 0 : row.readers.includes(reader.slice(1))),
    groups: () => ({ unit }) => unit.groups,
    detector: level => ({ unit }) => unit.detects === (level === '1'),
    cancer: percent => ({ unit }) => 100 * unit.cancer >= Number(percent) * unit.of
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
    label: (a, b) => a.label - b.label
  };

  // The rows that are asked for, in the order that is: by number where none is, and among equals.
  function wanted(all, asked) {
    const filters = Object.keys(FILTERS).filter(name => asked[name]).map(name => FILTERS[name](asked[name]));
    const found = all.filter(row => filters.every(has => has(row)));
    const order = ORDERS[asked.sort];
    return order ? found.sort((a, b) => order(a, b) || a.at - b.at) : found;
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
