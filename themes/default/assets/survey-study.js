// What the survey asks (`survey/data.js`, `Study` in src/atlas/script.rs): units and terms, found by their
// names. The survey's other scripts are in `unitAtlas.survey` too.
//
// A slot is a presentation of a unit: the unit's code, with `+` after it for the second.
(() => {
  'use strict';

  function study(data) {
    const terms = new Map(data.groups.flatMap(group => group.terms.map(term => [term.id, term])));
    const units = new Map(data.units.map(unit => [unit.code, unit]));
    const practice = data.practice || [];
    const all = new Map([...data.units, ...practice].map(unit => [unit.code, unit]));
    // A file may name units by code or, where the survey is not blind, by name.
    const codes = new Map(data.units.flatMap(unit => [unit.code, unit.name].filter(Boolean)
      .map(name => [name, unit.code])));
    const codeOf = slot => slot.replace(/\+$/, '');
    return {
      ...data,
      practice,
      background: data.background || [],
      codeOf,
      isRepeat: slot => slot.endsWith('+'),
      isAsked: slot => units.has(codeOf(slot)),
      // Also one to practise on.
      unitOf: slot => all.get(codeOf(slot)),
      // The slot of a unit by its code or name; null where the survey does not ask about it.
      slotOf: (name, repeat) => (codes.has(name) ? codes.get(name) + (repeat ? '+' : '') : null),
      hasTerm: id => terms.has(id),
      termName: id => (terms.has(id) ? terms.get(id).name : id)
    };
  }

  unitAtlas.survey = { study };
})();
