// Terms that a phrase speaks of, such as `clusterd pleomorphic calcs`: as `labels suggest` finds them
// (src/study/suggest.rs), but that nobody denies what they see in a field of terms, or what they look for. Both are held
// to tests/phrases.json.
(() => {
  'use strict';
  const FILLERS = ['a', 'an', 'the', 'of', 'to', 's', 'is', 'are'];
  const CALCIFICATION = ['calc', 'microcalc', 'macrocalc', 'microcalcificat', 'macrocalcificat'];

  // A word without its plural and its commonest endings.
  function stem(word) {
    let left = word;
    const cut = (ending, least, unless = []) => {
      const rest = left.slice(0, -ending.length);
      const fits = left.endsWith(ending) && rest.length >= least && !unless.some(end => rest.endsWith(end));
      if (fits) left = rest;
      return fits;
    };
    if (cut('ies', 3)) left += 'y';
    else if (!(/(ss|x|ch|sh)es$/.test(left) && cut('es', 0))) cut('s', 3, ['s', 'u', 'i']);
    ['ing', 'ed', 'ly', 'ion'].some(ending => cut(ending, 4));
    return CALCIFICATION.includes(left) ? 'calcificat' : left;
  }

  // The words of a text by clauses, without fillers.
  function split(text) {
    return text.split(/[,.;:!?\n()]/).map(part => {
      const words = (part.match(/[\p{L}\p{N}][\p{L}\p{N}'’]*/gu) || [])
        .map(word => word.toLowerCase().replace(/['’]/g, ''));
      // The `a` that ends a clause is a letter of its own: breast density a.
      return words.filter((word, at) => !FILLERS.includes(word) || (word === 'a' && at === words.length - 1));
    }).filter(words => words.length);
  }

  // Every phrase of every term, as stems, and all stems.
  function dictionary(groups) {
    const phrases = groups.flatMap(({ category, terms }) => terms.flatMap(({ id, name, synonyms }) =>
      [name, ...synonyms].map(phrase => ({ id, category, family: category.split(' - ')[0], stems: split(phrase).flat().map(stem) }))))
      .filter(phrase => phrase.stems.length);
    return { phrases, stems: Array.from(new Set(phrases.flatMap(phrase => phrase.stems))).sort() };
  }

  // The known stem that a word misses by a letter or two.
  function nearest({ stems }, word) {
    const most = word.length < 5 ? 0 : word.length < 9 ? 1 : 2;
    if (!most) return null;
    const own = stem(word);
    let best = null;
    stems.filter(known => known.length >= 4 && known[0] === word[0]).forEach(known => {
      const slips = unitAtlas.slips(known, own, most);
      if (slips <= most && (!best || slips < best.slips)) best = { known, slips };
    });
    return best && best.known;
  }

  function mended(known, word) {
    const own = stem(word);
    if (known.stems.includes(own)) return own;
    const whole = /^(micro|macro)(.+)/.exec(word);
    return nearest(known, word) || (whole && nearest(known, whole[2])) || own;
  }

  // The longest phrase that some stems start with.
  function longest({ phrases }, stems) {
    let best = null;
    phrases.forEach(phrase => {
      const longer = !best || phrase.stems.length > best.stems.length;
      if (longer && phrase.stems.every((one, at) => one === stems[at])) best = phrase;
    });
    return best;
  }

  // The phrases of a clause, in runs without another word between them.
  function runs(known, words) {
    const stems = words.map(word => mended(known, word));
    const found = [[]];
    for (let at = 0; at < stems.length;) {
      const phrase = longest(known, stems.slice(at));
      if (phrase) found[found.length - 1].push(phrase);
      else found.push([]);
      at += phrase ? phrase.stems.length : 1;
    }
    return found;
  }

  // Drops a refining word beside a noun of another family: `irregular` is no shape in `irregular calcifications`.
  function withoutStrangers(run) {
    const refines = ({ category, family }) => category !== family;
    const nouns = run.filter(phrase => !refines(phrase)).map(phrase => phrase.family);
    return run.filter(phrase => !refines(phrase) || !nouns.length || nouns.includes(phrase.family));
  }

  // Of the groups of a study, made once.
  const dictionaries = new WeakMap();

  // Ids of the terms of `groups` that a text speaks of, in its order.
  function spokenOf(groups, text) {
    if (!dictionaries.has(groups)) dictionaries.set(groups, dictionary(groups));
    const known = dictionaries.get(groups);
    const found = split(text).flatMap(words => runs(known, words)).flatMap(withoutStrangers);
    return Array.from(new Set(found.map(phrase => phrase.id)));
  }

  unitAtlas.phrases = spokenOf;
})();
