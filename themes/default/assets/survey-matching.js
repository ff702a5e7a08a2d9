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

  // The groups that have fitting terms, with those: the best first; all of them as they stand where nothing is typed.
  function matching(groups, typed) {
    const wanted = typed.trim().toLowerCase();
    return groups.map(({ category, terms }) => {
      const hits = terms.map(term => ({ term, fit: wanted ? fit(term, category, wanted) : 1 })).filter(hit => hit.fit);
      if (wanted) hits.sort((a, b) => b.fit - a.fit);
      return { category, terms: hits.map(hit => hit.term), best: Math.max(0, ...hits.map(hit => hit.fit)) };
    }).filter(group => group.terms.length).sort((a, b) => b.best - a.best);
  }

  unitAtlas.survey.matching = matching;
})();
