// Marks of units on a canvas: a form and a colour for each kind (`marks` of layout.js), as the page looks now.
(() => {
  'use strict';
  const CIRCLE = 2 * Math.PI;

  const form = {
    circle: (to, r) => to.arc(0, 0, r, 0, CIRCLE),
    dot: (to, r) => to.arc(0, 0, 0.7 * r, 0, CIRCLE),
    ring: (to, r) => { to.arc(0, 0, r, 0, CIRCLE); to.arc(0, 0, 0.45 * r, 0, CIRCLE, true); },
    square: (to, r) => to.rect(-0.9 * r, -0.9 * r, 1.8 * r, 1.8 * r),
    triangle: (to, r) => { to.moveTo(0, -1.2 * r); to.lineTo(1.1 * r, 0.8 * r); to.lineTo(-1.1 * r, 0.8 * r); },
    down: (to, r) => { to.moveTo(0, 1.2 * r); to.lineTo(1.1 * r, -0.8 * r); to.lineTo(-1.1 * r, -0.8 * r); },
    diamond: (to, r) => { to.moveTo(0, -1.3 * r); to.lineTo(1.1 * r, 0); to.lineTo(0, 1.3 * r); to.lineTo(-1.1 * r, 0); },
    cross: (to, r) => { to.rect(-1.2 * r, -0.4 * r, 2.4 * r, 0.8 * r); to.rect(-0.4 * r, -1.2 * r, 0.8 * r, 2.4 * r); }
  };

  // The colours of the page as it looks now.
  function palette(section) {
    const style = window.getComputedStyle(section);
    const known = new Map();
    const of = name => {
      if (!known.has(name)) known.set(name, style.getPropertyValue(name).trim());
      return known.get(name);
    };
    const channels = name => [1, 3, 5].map(at => parseInt(of(name).slice(at, at + 2), 16));
    const [low, high] = ['--map-low', '--map-high'].map(channels);
    const between = share => `rgb(${low.map((value, at) => Math.round(value + share * (high[at] - value))).join(' ')})`;
    return { of, fill: mark => (mark.colour ? of(mark.colour) : between(mark.share)) };
  }

  function stamp(to, mark, colours, [x, y], radius) {
    to.setTransform(to.ratio, 0, 0, to.ratio, x * to.ratio, y * to.ratio);
    to.beginPath();
    form[mark.form](to, radius);
    to.fillStyle = colours.fill(mark);
    to.fill();
  }

  // Around the mark of the unit that is looked at.
  function ring(to, colours, [x, y], radius) {
    to.setTransform(to.ratio, 0, 0, to.ratio, x * to.ratio, y * to.ratio);
    to.beginPath();
    to.arc(0, 0, radius, 0, CIRCLE);
    to.lineWidth = 2;
    to.strokeStyle = colours.of('--ink');
    to.stroke();
  }

  // A canvas as fine as the screen, of a size in pixels of the page.
  function prepare(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const to = canvas.getContext('2d');
    to.ratio = ratio;
    return to;
  }

  unitAtlas.marks = { palette, prepare, ring, stamp };
})();
