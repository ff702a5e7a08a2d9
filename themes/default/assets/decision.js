// What becomes of the probability of cancer when units say nothing, or what they say on average: exact where a
// layer is averaged and weighted into the classes (`Decision` in src/atlas/script.rs).
(() => {
  'use strict';

  // What a unit adds to the logit of a class, by its state.
  const STATES = {
    on: ({ adds }, at) => adds[at],
    mean: ({ mean }, at) => mean[at],
    off: () => 0
  };

  // The probability of the last class, cancer, with each unit in a state.
  function probability({ logits, units }, states) {
    const changed = logits.map((logit, at) => units.reduce(
      (sum, unit, number) => sum - unit.adds[at] + STATES[states[number]](unit, at), logit));
    const most = Math.max(...changed);
    const parts = changed.map(logit => Math.exp(logit - most));
    return parts[parts.length - 1] / parts.reduce((sum, part) => sum + part, 0);
  }

  unitAtlas.decision = { probability };
})();
