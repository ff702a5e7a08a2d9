// Window and level: the line by which a rendition's grey levels become those of the screen. It is DICOM's linear
// function (PS3.3, C.11.2.1.2.1) from 256 levels to 256, as slope and intercept over [0, 1]; the browser draws it by
// a filter, for no page from a disk may read the pixels of a picture.
(() => {
  'use strict';
  const LEVELS = 256;
  // Nothing changes.
  const PLAIN = { centre: 128, width: 256, invert: false };
  // Narrower than two levels is a threshold, whose slope has no number.
  const [LEAST, MOST] = [2, 1024];
  const [LOWEST, HIGHEST] = [-128, 384];

  const between = (least, value, most) => Math.min(most, Math.max(least, value));

  // A window that can be drawn, whatever was kept or asked for.
  function valid(window) {
    const number = (value, usual) => (typeof value === 'number' && Number.isFinite(value) ? value : usual);
    return {
      centre: between(LOWEST, number(window.centre, PLAIN.centre), HIGHEST),
      width: between(LEAST, number(window.width, PLAIN.width), MOST),
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
  function dragged(window, dx, dy) {
    return valid({ ...window, width: window.width + dx, centre: window.centre + dy });
  }

  unitAtlas.greys = { PLAIN, valid, line, plain, dragged };
})();
