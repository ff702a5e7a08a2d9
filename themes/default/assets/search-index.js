// What can be found (`SearchIndex` in src/atlas/script.rs), and how: units, labels, terms, mammograms, pages.
(() => {
  'use strict';
  const { unitNumber } = unitAtlas.page;

  // Everything that can be found: its words, what is shown of it, where it is, and its rank among equals.
  function entries(data) {
    const entry = (kind, rank, { title, note, href, more = '', number = 0 }) => ({
      kind, rank, title, note, href, number,
      head: title.toLowerCase(),
      text: `${title} ${note} ${more}`.toLowerCase()
    });
    const unit = (layer, number) => {
      const title = `${layer.name}/${unitNumber(number)}`;
      const note = layer.labels[number] || '';
      const href = `networks/${title}/index.html`;
      return entry('unit', note ? 2 : 3, { title, note, href, more: layer.words[number], number });
    };
    return [
      ...data.pages.map(page => entry('page', 1, page)),
      ...data.terms.map(term => entry('term', 0, term)),
      ...data.layers.flatMap(layer => Array.from({ length: layer.units }, (_, at) => unit(layer, at + 1))),
      ...data.mammograms.map(({ id, view }) => entry('mammogram', 4,
        { title: id, note: view, href: `mammograms/${id}/index.html`, more: 'mammogram' }))
    ];
  }

  // How well an entry fits that holds all words: the least is the best.
  function fit(entry, words) {
    const last = words[words.length - 1];
    if (entry.head === words.join(' ')) return 0;
    if (/^\d+$/.test(last) && Number(last) > 0 && entry.number === Number(last)) return 1;
    if (entry.head.startsWith(words[0])) return 2;
    return ` ${entry.text}`.includes(` ${words[0]}`) ? 3 : 4;
  }

  // Entries that hold all of some words, the best first.
  function find(all, words) {
    if (!words.length) return [];
    return all.filter(entry => words.every(word => entry.text.includes(word)))
      .map(entry => ({ entry, fit: fit(entry, words) }))
      .sort((a, b) => a.fit - b.fit || a.entry.rank - b.entry.rank)
      .map(hit => hit.entry);
  }

  unitAtlas.searchIndex = { entries, find };
})();
