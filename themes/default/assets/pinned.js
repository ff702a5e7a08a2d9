// Lists of units to compare, as they are kept and as they stand in an address: `#units=a/b/0001,c/d/0002`.
(() => {
  'use strict';
  // Units side by side at most.
  const MOST = 6;
  const UNIT = /^[\w.-]+\/[\w.-]+\/\d{4,}$/;

  // Names of units, each once, no more than can be compared.
  function only(names) {
    return Array.from(new Set(names.filter(name => typeof name === 'string' && UNIT.test(name)))).slice(0, MOST);
  }

  // What was kept, whatever became of it.
  function kept(text) {
    try {
      const list = JSON.parse(text);
      return Array.isArray(list) ? only(list) : [];
    } catch {
      return [];
    }
  }

  // The units that an address asks for; null where it asks for none.
  function read(hash) {
    const found = /^#units=(.*)$/.exec(hash);
    if (!found) return null;
    try {
      return only(decodeURIComponent(found[1]).split(','));
    } catch {
      return [];
    }
  }

  // How many different names of such an address are none of those: too many, or no names of units.
  function dropped(hash) {
    const found = /^#units=(.*)$/.exec(hash);
    const names = found ? new Set(found[1].split(',').filter(Boolean)) : new Set();
    return names.size - (read(hash) || []).length;
  }

  const written = units => `#units=${units.join(',')}`;

  // A list with a unit, or without it where it has it; null where there is no room.
  function toggled(units, unit) {
    if (units.includes(unit)) return units.filter(other => other !== unit);
    return units.length < MOST && UNIT.test(unit) ? [...units, unit] : null;
  }

  // The unit that a link leads to; null where it leads elsewhere.
  function unitOf(href) {
    const found = /networks\/([^/]+\/[^/]+\/\d{4,})\/index\.html(?:[?#].*)?$/.exec(href || '');
    return found && found[1];
  }

  unitAtlas.pinned = { MOST, kept, read, dropped, written, toggled, unitOf };
})();
