// What a comparison shows (`ComparedUnit` in src/atlas/script.rs): how units respond to each other's patches.
(() => {
  'use strict';
  // Two characters of this alphabet per patch, the higher one first.
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const LEVELS = ALPHABET.length ** 2;

  // The share of all patches that score at least as high for a unit as the one at a place, rounded up; null where
  // that is not known.
  function share(unit, place) {
    const levels = Array.from((unit.shares || '').slice(2 * place, 2 * place + 2), one => ALPHABET.indexOf(one));
    if (levels.length < 2 || levels.includes(-1)) return null;
    return (levels[0] * ALPHABET.length + levels[1] + 1) / LEVELS;
  }

  // That in words.
  function words(part) {
    if (part === null) return 'not known';
    if (part >= 1) return 'lowest';
    // Rounded up, but for what arithmetic adds.
    const up = value => Math.ceil(value - 1e-9);
    const tenths = up(1000 * part) / 10;
    return `top ${tenths < 10 ? tenths.toFixed(1) : up(100 * part)}%`;
  }

  // That as the length of a bar, in percent: by its logarithm, for all that is shown is near some unit's top.
  const length = part => (part === null ? 0 : Math.max(0, 100 * Math.log(part) / Math.log(1 / LEVELS)));

  // The first patches of each unit, each once, with whose they are, and what every unit makes of them. Units that
  // saw other patches are not compared.
  function rows(units, each) {
    const seen = new Map();
    units.forEach((unit, of) => {
      unitAtlas.patch.rows(unit.top).slice(0, each).forEach((patch, at) => {
        const place = unit.places[at];
        const name = `${unit.split} ${place}`;
        if (!seen.has(name)) seen.set(name, { patch, place, split: unit.split, of: [] });
        seen.get(name).of.push({ unit: of, rank: at + 1 });
      });
    });
    return Array.from(seen.values(), row => ({
      ...row,
      shares: units.map(unit => (unit.split === row.split ? share(unit, row.place) : null))
    }));
  }

  // The command that draws units as a figure.
  const command = names => `unit-atlas figure table ${names.join(' ')}`;

  unitAtlas.compared = { share, words, length, rows, command };
})();
