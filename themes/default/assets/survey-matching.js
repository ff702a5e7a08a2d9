// Terms of the lexicon that what was typed may mean.
(() => {
  'use strict';

  // How well a term fits: names first, then synonyms, then categories; 0 where it does not.
  function fit(term, category, wanted) {
    const has = text => text.toLowerCase().includes(wanted);
    const begins = text => text.toLowerCase().startsWith(wanted);
    if (begins(term.name)) return 5;
    if (term.name.split(/[\s-]+/).some(begins)) return 4;
    if (term.synonyms.some(begins)) return 3;
    if (has(term.name) || term.synonyms.some(has)) return 2;
    return has(category) ? 1 : 0;
  }

  // The terms of a phrase as one choice: `spiculated mass` is two.
  function together(groups, ids) {
    if (ids.length < 2) return [];
    const terms = ids.map(id => groups.flatMap(group => group.terms).find(term => term.id === id));
    const name = terms.map(term => term.name).join(' + ');
    return [{ category: 'What you typed', terms: [{ id: 'all', ids, name, gloss: ids.length > 2 ? 'all of them' : 'both of them' }] }];
  }

  // The groups that have fitting terms, with those: the best first; all of them as they stand where nothing is typed.
  // What a phrase speaks of fits as a synonym does, and stands together before the groups.
  function matching(groups, typed) {
    const wanted = typed.trim().toLowerCase();
    const spoken = wanted ? unitAtlas.phrases(groups, typed) : [];
    const fits = (term, category) => Math.max(fit(term, category, wanted), spoken.includes(term.id) ? 3 : 0);
    const found = groups.map(({ category, terms }) => {
      const hits = terms.map(term => ({ term, fit: wanted ? fits(term, category) : 1 })).filter(hit => hit.fit);
      if (wanted) hits.sort((a, b) => b.fit - a.fit);
      return { category, terms: hits.map(hit => hit.term), best: Math.max(0, ...hits.map(hit => hit.fit)) };
    }).filter(group => group.terms.length).sort((a, b) => b.best - a.best);
    // Not before a term whose own name or synonym is being typed: `skin calcif` is one.
    const named = wanted && groups.some(({ category, terms }) => terms.some(term => fit(term, category, wanted) > 1));
    return named ? [...found, ...together(groups, spoken)] : [...together(groups, spoken), ...found];
  }

  unitAtlas.survey.matching = matching;
})();
