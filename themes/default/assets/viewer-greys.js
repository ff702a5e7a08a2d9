// Window and level: the line by which a rendition's grey levels become those of the screen. It is DICOM's linear
// function (PS3.3, C.11.2.1.2.1) from 256 levels to 256, as slope and intercept over [0, 1]; the browser draws it by
// a filter, for no page from a disk may read the pixels of a picture.
(() => {
  'use strict';
  const LEVELS = 256;
  // Nothing changes.
  const PLAIN = { centre: 128, width: 256, invert: false };
  // Narrower than two levels is a threshold, whose slope has no number.
  const LIMITS = { least: 2, most: 1024, lowest: -128, highest: 384 };
  // Of any picture, as of a source with 16 bits, which has more between levels and beyond them.
  const WIDEST = { least: 1 / 256, most: 262144, lowest: -65536, highest: 65536 };

  const between = (least, value, most) => Math.min(most, Math.max(least, value));

  // A window that can be drawn, whatever was kept or asked for.
  function valid(window, limits = LIMITS) {
    const number = (value, usual) => (typeof value === 'number' && Number.isFinite(value) ? value : usual);
    return {
      centre: between(limits.lowest, number(window.centre, PLAIN.centre), limits.highest),
      width: between(limits.least, number(window.width, PLAIN.width), limits.most),
      invert: window.invert === true
    };
  }

  // Slope and intercept; what comes out below 0 or above 1 is black or white.
  function line({ centre, width, invert }) {
    const slope = (LEVELS - 1) / (width - 1);
    const intercept = 0.5 - (centre - 0.5) / (width - 1);
    return invert ? { slope: -slope, intercept: 1 - intercept } : { slope, intercept };
  }

  const plain = window => ['centre', 'width', 'invert'].every(name => window[name] === PLAIN[name]);

  // Dragged by so many CSS pixels, a level for each: to the right is wider, with less contrast; downwards is darker.
  // Where there is more between levels, a narrow window is changed by parts of its own width.
  function dragged(window, dx, dy, limits = LIMITS) {
    const step = limits.least < LIMITS.least ? Math.min(1, window.width / LEVELS) : 1;
    return valid({ ...window, width: window.width + dx * step, centre: window.centre + dy * step }, limits);
  }

  unitAtlas.greys = { PLAIN, LIMITS, WIDEST, valid, line, plain, dragged };
})();
