// What can be found (`SearchIndex` in src/atlas/script.rs), and how: units, labels, terms, mammograms, pages, and
// what the pages say.
(() => {
  'use strict';
  // Most ways to read words with typos.
  const READINGS = 64;
  // Letters of a passage before and after what was found.
  const BEFORE = 40;
  const AFTER = 80;
  // How well an entry fits that only says at length what is looked for.
  const BY_PROSE = 5;
  // Places of a word at which a passage may be.
  const PLACES = 50;
  const { unitNumber, words: wordsOf } = unitAtlas.page;
  const near = (a, b, most) => unitAtlas.slips(a, b, most) <= most;

  // Something that can be found: its words, what is shown of it, where it is, and its rank among equals.
  function item(kind, rank, { title, note = '', href = '', more = '', prose = '', number = 0 }) {
    return {
      kind, rank, title, note, href, number, prose,
      head: title.toLowerCase(),
      text: `${title} ${note} ${more}`.toLowerCase(),
      // What is said at length counts only where nothing shorter does.
      whole: `${title} ${note} ${more} ${prose}`.toLowerCase()
    };
  }

  const unitTitle = (layer, number) => `${layer.name}/${unitNumber(number)}`;
  const unitHref = (layer, number) => `networks/${unitTitle(layer, number)}/index.html`;

  // Everything that a site has to find.
  function entries(data) {
    const unit = (layer, number) => {
      const note = layer.labels[number] || '';
      const [title, href] = [unitTitle(layer, number), unitHref(layer, number)];
      return item('unit', note ? 2 : 3, { title, note, href, more: layer.words[number], number });
    };
    return [
      ...data.pages.map(page => item('page', 1, page)),
      ...data.terms.map(term => item('term', 0, term)),
      ...data.layers.flatMap(layer => Array.from({ length: layer.units }, (_, at) => unit(layer, at + 1))),
      ...data.mammograms.map(({ id, view }) => item('mammogram', 4,
        { title: id, note: view, href: `mammograms/${id}/index.html`, more: 'mammogram' }))
    ];
  }

  // How well an entry fits that holds all words: the least is the best.
  function fit({ head, number, text }, words) {
    const last = words[words.length - 1];
    if (head === words.join(' ')) return 0;
    if (/^\d+$/.test(last) && Number(last) > 0 && number === Number(last)) return 1;
    if (head.startsWith(words[0])) return 2;
    if (` ${text}`.includes(` ${words[0]}`)) return 3;
    return words.every(word => text.includes(word)) ? 4 : BY_PROSE;
  }

  // How many letters of a word may be wrong.
  const allowed = word => (word.length < 4 || /\d/.test(word) ? 0 : word.length < 8 ? 1 : 2);

  // Every word of some entries, gathered once.
  const vocabularies = new WeakMap();
  function vocabulary(all) {
    if (!vocabularies.has(all)) vocabularies.set(all, Array.from(new Set(all.flatMap(entry => entry.whole.split(/[^\p{L}\p{N}]+/u)))));
    return vocabularies.get(all);
  }

  // The words of some entries that a word that none of them holds may mean.
  function meant(all, word) {
    const most = allowed(word);
    if (!most) return [];
    // What is still being typed is the beginning of a word.
    return vocabulary(all).filter(one => near(word, one, most) || near(word, one.slice(0, word.length), most));
  }

  // Words as they are found: a word that no entry holds stands for those that it may mean.
  function corrected(all, words) {
    return words.map(word => (all.some(entry => entry.whole.includes(word)) ? [word] : meant(all, word)));
  }

  // What is found: entries that hold all of some words, the best first, each with the words that it holds. Typos
  // are forgiven in words that no entry holds.
  function find(all, words) {
    if (!words.length) return [];
    const found = holding(all, words);
    if (found.length) return found;
    const readings = corrected(all, words);
    if (readings.some(reading => !reading.length)) return [];
    const most = readings.reduce((product, reading) => product * reading.length, 1);
    if (most > READINGS) return [];
    const each = readings.reduce((lists, reading) => lists.flatMap(list => reading.map(word => [...list, word])), [[]]);
    const once = new Map();
    each.flatMap(list => holding(all, list)).forEach(hit => { if (!once.has(hit.entry)) once.set(hit.entry, hit); });
    return Array.from(once.values());
  }

  // Entries that hold all of some words, the best first.
  function holding(all, words) {
    return all.filter(entry => words.every(word => entry.whole.includes(word)))
      .map(entry => ({ entry, words, fit: fit(entry, words) }))
      .sort((a, b) => a.fit - b.fit || a.entry.rank - b.entry.rank);
  }

  // What a machine finds closest to what was typed: paths of units' pages by [its terms that they are close to, standard
  // deviations above chance], those close to most terms first. None where no machine was asked or nothing typed is one
  // of its terms.
  function closest({ close, layers }, typed) {
    const found = new Map();
    if (!close) return found;
    // A finer term that no unit is close to stands for its general one.
    const general = id => {
      const own = close.groups.find(group => group.terms.some(term => term.id === id));
      const family = close.groups.find(group => group.category === own.category.split(' - ')[0]);
      return close.units[id] || !family ? id : family.terms[0].id;
    };
    new Set(unitAtlas.phrases(close.groups, typed).map(general)).forEach(id => {
      const { name } = close.groups.flatMap(group => group.terms).find(term => term.id === id);
      (close.units[id] || []).forEach(([layer, number, standard]) => {
        const href = unitHref(layers[layer], number);
        const [names, sum] = found.get(href) || [[], 0];
        found.set(href, [[...names, name], sum + standard]);
      });
    });
    return new Map(Array.from(found).sort(([, a], [, b]) => b[0].length - a[0].length || b[1] - a[1]));
  }

  // What is found by words and by meaning: what is called so, then units by how close a machine
  // finds them, and what is only said at length.
  function search(data, all, typed) {
    const words = wordsOf(typed);
    const hits = find(all, words);
    const close = words.length && data ? closest(data, typed) : new Map();
    if (!close.size) return hits;
    const units = new Map(all.filter(entry => close.has(entry.href)).map(entry => [entry.href, entry]));
    const own = new Map(hits.map(hit => [hit.entry.href, hit]));
    const nearby = Array.from(close, ([href, [names]]) => {
      const entry = units.get(href);
      const note = [entry.note, `close to ${names.join(' and ')}`].filter(Boolean).join(' · ');
      return { words: [], ...own.get(href), entry: { ...entry, note } };
    });
    const others = hits.filter(({ entry }) => !close.has(entry.href));
    const isUnit = ({ entry }) => entry.kind === 'unit';
    const isFirst = hit => !isUnit(hit) && hit.fit < BY_PROSE;
    const holds = ({ entry }) => own.has(entry.href);
    return [
      ...others.filter(isFirst), ...nearby.filter(holds), ...others.filter(isUnit), ...nearby.filter(hit => !holds(hit)),
      ...others.filter(hit => !isUnit(hit) && !isFirst(hit))
    ];
  }

  // A text in pieces, [text, whether it is one of some words], in order.
  function pieces(text, words) {
    const low = text.toLowerCase();
    // A letter whose small form is longer would shift what follows it.
    if (low.length !== text.length) return [[text, false]];
    const parts = [];
    let from = 0;
    while (from < text.length) {
      const next = words.map(word => [low.indexOf(word, from), word]).filter(([at]) => at >= 0)
        .sort((a, b) => a[0] - b[0] || b[1].length - a[1].length)[0];
      if (!next) break;
      const [at, word] = next;
      if (at > from) parts.push([text.slice(from, at), false]);
      parts.push([text.slice(at, at + word.length), true]);
      from = at + word.length;
    }
    if (from < text.length) parts.push([text.slice(from), false]);
    return parts;
  }

  // Where a text holds some words nearest to each other: [from, to] of the first of them; null where it has none.
  function nearest(low, words) {
    let best = null;
    words.forEach(word => {
      let at = low.indexOf(word);
      for (let tried = 0; at >= 0 && tried < PLACES; tried += 1) {
        const end = at + word.length;
        const around = low.slice(Math.max(0, at - BEFORE), end + AFTER);
        const count = words.filter(other => around.includes(other)).length;
        if (!best || count > best.count || (count === best.count && at < best.at)) best = { count, at, end };
        at = low.indexOf(word, end);
      }
    });
    return best && [best.at, best.end];
  }

  // The place in an entry's prose that holds some words, cut to a line, as pieces. Null where shorter parts of the
  // entry hold them all.
  function passage({ entry, words }) {
    const { prose } = entry;
    const found = nearest(prose.toLowerCase(), words.filter(word => !entry.text.includes(word)));
    if (!found) return null;
    const [at, end] = found;
    const from = at > BEFORE ? prose.indexOf(' ', at - BEFORE) + 1 : 0;
    const to = end + AFTER < prose.length ? Math.max(end, prose.lastIndexOf(' ', end + AFTER)) : prose.length;
    return pieces((from ? '… ' : '') + prose.slice(from, to) + (to < prose.length ? ' …' : ''), words);
  }

  // Where a hit leads: to its page, and there to what was found, where that is within its text.
  function place({ entry, words }) {
    return passage({ entry, words }) ? `${entry.href}#find=${encodeURIComponent(words.join(' '))}` : entry.href;
  }

  // The words that an address asks a page to show; none where it asks for something else.
  function asked(hash) {
    const found = new URLSearchParams(hash.slice(1)).get('find') || '';
    // A letter by itself is everywhere.
    return wordsOf(found).filter(word => word.length > 1);
  }

  unitAtlas.searchIndex = { entries, item, find, search, pieces, passage, place, asked };
})();
