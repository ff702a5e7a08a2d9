// An activation map as pixels, from no activation (clear) to the unit's best score: `Heat` in
// src/atlas/script.rs, one character per cell.
(() => {
  'use strict';
  const LEVELS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  // From dark to light, so that brightness alone tells the order: violet, red, orange, pale yellow.
  const STOPS = [[40, 11, 84], [137, 34, 106], [212, 72, 66], [249, 149, 28], [252, 255, 164]];

  // Between which of so many cells each point along an edge lies, and how far: level beyond the outermost ones.
  function taps({ edge, centre, stride }, cells, points) {
    return Array.from({ length: points }, (_, i) => {
      const at = Math.min(cells - 1, Math.max(0, ((i + 0.5) * edge / points - centre) / stride));
      const low = Math.floor(at);
      return { low, high: Math.min(low + 1, cells - 1), share: at - low };
    });
  }

  // Red, green, blue and opacity of a level between 0 and 1.
  function colour(level) {
    const place = level * (STOPS.length - 1);
    const low = Math.min(STOPS.length - 2, Math.floor(place));
    const mixed = STOPS[low].map((from, c) => from + (STOPS[low + 1][c] - from) * (place - low));
    return [...mixed, 255 * Math.min(0.75, 0.84 * level * level)];
  }

  // The pixels of one map, `points` along each edge, row by row: upsampled as for the outlines.
  function pixels(heat, map, points) {
    const values = Array.from(map, level => LEVELS.indexOf(level) / (LEVELS.length - 1));
    const rows = taps(heat, heat.rows, points);
    const columns = taps(heat, heat.columns, points);
    const mix = (from, to, share) => from * (1 - share) + to * share;
    const along = (row, { low, high, share }) => mix(values[row * heat.columns + low], values[row * heat.columns + high], share);
    const out = new Uint8ClampedArray(4 * points * points);
    rows.forEach((y, row) => columns.forEach((x, column) => {
      out.set(colour(mix(along(y.low, x), along(y.high, x), y.share)), 4 * (row * points + column));
    }));
    return out;
  }

  unitAtlas.heatMap = { taps, colour, pixels };
})();
