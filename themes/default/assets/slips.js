// By how many slips one word became another: letters added, left out, changed, or swapped with the next.
(() => {
  'use strict';

  // Infinity where it is more than `most`.
  function slips(a, b, most) {
    if (Math.abs(a.length - b.length) > most) return Infinity;
    let [older, old] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)];
    for (let i = 1; i <= a.length; i += 1) {
      const row = [i];
      for (let j = 1; j <= b.length; j += 1) {
        row[j] = Math.min(old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], older[j - 2] + 1);
      }
      if (Math.min(...row) > most) return Infinity;
      [older, old] = [old, row];
    }
    return old[b.length] <= most ? old[b.length] : Infinity;
  }

  unitAtlas.slips = slips;
})();
