// What can be found (`SearchIndex` in src/atlas/script.rs), and how: units, labels, terms, mammograms, pages.
(() => {
  'use strict';
  // Most ways to read words with typos.
  const READINGS = 64;
  // Letters of a passage before and after what was found.
  const BEFORE = 40;
  const AFTER = 80;
  const { unitNumber } = unitAtlas.page;

  // Everything that can be found: its words, what is shown of it, where it is, and its rank among equals.
  function entries(data) {
    const entry = (kind, rank, { title, note, href, more = '', prose = '', number = 0 }) => ({
      kind, rank, title, note, href, number, prose,
      head: title.toLowerCase(),
      text: `${title} ${note} ${more}`.toLowerCase(),
      // What is said at length counts only where nothing shorter does.
      whole: `${title} ${note} ${more} ${prose}`.toLowerCase()
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
    if (` ${entry.text}`.includes(` ${words[0]}`)) return 3;
    return words.every(word => entry.text.includes(word)) ? 4 : 5;
  }

  // How many letters of a word may be wrong.
  const slips = word => (word.length < 4 || /\d/.test(word) ? 0 : word.length < 8 ? 1 : 2);

  // Whether a word becomes another by so many letters added, left out, changed, or swapped with the next.
  function near(a, b, most) {
    if (Math.abs(a.length - b.length) > most) return false;
    let [older, old] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)];
    for (let i = 1; i <= a.length; i += 1) {
      const row = [i];
      for (let j = 1; j <= b.length; j += 1) {
        row[j] = Math.min(old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], older[j - 2] + 1);
      }
      if (Math.min(...row) > most) return false;
      [older, old] = [old, row];
    }
    return old[b.length] <= most;
  }

  // Every word of some entries, gathered once.
  const vocabularies = new WeakMap();
  function vocabulary(all) {
    if (!vocabularies.has(all)) vocabularies.set(all, Array.from(new Set(all.flatMap(entry => entry.whole.split(/[^\p{L}\p{N}]+/u)))));
    return vocabularies.get(all);
  }

  // The words of some entries that a word that none of them holds may mean.
  function meant(all, word) {
    const most = slips(word);
    if (!most) return [];
    // What is still being typed is the beginning of a word.
    return vocabulary(all).filter(one => near(word, one, most) || near(word, one.slice(0, word.length), most));
  }

  // Words as they are found: a word that no entry holds stands for those that it may mean.
  function corrected(all, words) {
    return words.map(word => (all.some(entry => entry.whole.includes(word)) ? [word] : meant(all, word)));
  }

  // Entries that hold all of some words, the best first; typos are forgiven in words that no entry holds.
  function find(all, words) {
    if (!words.length) return [];
    const found = holding(all, words);
    if (found.length) return found;
    const readings = corrected(all, words);
    if (readings.some(reading => !reading.length)) return [];
    const most = readings.reduce((product, reading) => product * reading.length, 1);
    if (most > READINGS) return [];
    const each = readings.reduce((lists, reading) => lists.flatMap(list => reading.map(word => [...list, word])), [[]]);
    return Array.from(new Set(each.flatMap(list => holding(all, list))));
  }

  // Entries that hold all of some words, the best first.
  function holding(all, words) {
    return all.filter(entry => words.every(word => entry.whole.includes(word)))
      .map(entry => ({ entry, fit: fit(entry, words) }))
      .sort((a, b) => a.fit - b.fit || a.entry.rank - b.entry.rank)
      .map(hit => hit.entry);
  }

  // The place in an entry's prose that holds the first of some words, cut to a line: before it, itself, after it.
  // Null where another part of the entry holds it.
  function passage(entry, words) {
    const low = entry.prose.toLowerCase();
    const word = words.find(one => low.includes(one));
    if (!word || words.every(one => entry.text.includes(one))) return null;
    const at = low.indexOf(word);
    const from = at > BEFORE ? entry.prose.indexOf(' ', at - BEFORE) + 1 : 0;
    const end = at + word.length;
    const to = end + AFTER < entry.prose.length ? entry.prose.lastIndexOf(' ', end + AFTER) : entry.prose.length;
    return [(from ? '… ' : '') + entry.prose.slice(from, at), entry.prose.slice(at, end),
      entry.prose.slice(end, Math.max(end, to)) + (to < entry.prose.length ? ' …' : '')];
  }

  unitAtlas.searchIndex = { entries, find, passage };
})();
