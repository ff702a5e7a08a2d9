// The order in which a reader is shown the units: their own, and the same on every computer.
(() => {
  'use strict';

  // Numbers in [0, 1) that follow from a text: xmur3 into mulberry32, both public domain.
  function stream(text) {
    let h = 1779033703 ^ text.length;
    for (let i = 0; i < text.length; i += 1) {
      h = Math.imul(h ^ text.charCodeAt(i), 3432918353);
      h = h << 13 | h >>> 19;
    }
    h = Math.imul(h ^ h >>> 16, 2246822507);
    h = Math.imul(h ^ h >>> 13, 3266489909);
    let a = (h ^ h >>> 16) >>> 0;
    return () => {
      a = a + 0x6D2B79F5 | 0;
      let t = Math.imul(a ^ a >>> 15, 1 | a);
      t ^= t + Math.imul(t ^ t >>> 7, 61 | t);
      return ((t ^ t >>> 14) >>> 0) / 4294967296;
    };
  }

  function shuffled(list, random) {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }

  // All slots. Units shown twice come back at least half a survey later where they can.
  function order(study, reader) {
    const random = stream(`${study.study}\n${reader.trim().toLowerCase()}`);
    const units = shuffled(study.units.map(unit => unit.code), random);
    const half = Math.ceil(units.length / 2);
    const count = units.length < 2 ? 0 : Math.round(study.repeats * units.length);
    // Those of the first half first: only they can wait so long.
    const early = shuffled(units.slice(0, units.length - half), random);
    const late = shuffled(units.slice(units.length - half), random);
    const again = early.concat(late).slice(0, count);
    const places = units.map((code, at) => ({ slot: code, at, tie: 0 }));
    again.forEach(code => {
      const from = Math.min(units.indexOf(code) + half, units.length - 1);
      const at = from + Math.floor(random() * (units.length - from));
      places.push({ slot: `${code}+`, at, tie: 1 + random() });
    });
    return places.sort((a, b) => a.at - b.at || a.tie - b.tie).map(place => place.slot);
  }

  unitAtlas.survey.order = order;
})();
