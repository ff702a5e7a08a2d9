// Where a picture lies in a pane of the viewer. A view is what a pane shows: the place in the picture, in its source's
// pixels, that is at the middle of the pane, and the scale, CSS pixels for each of the source's. Sizes are
// [width, height].
(() => {
  'use strict';
  // From half of what fits to sixteen pixels of the screen for each of the source's.
  const LEAST = 0.5;
  const MOST = 16;

  const between = (least, value, most) => Math.min(most, Math.max(least, value));
  // Of words such as `left MLO`.
  const side = words => (/\b(left|right)\b/i.exec(words) || [''])[0].toLowerCase();
  const fitting = (size, pane) => Math.min(pane[0] / size[0], pane[1] / size[1]);

  // All of a picture.
  function fit(size, pane) {
    return { x: size[0] / 2, y: size[1] / 2, scale: fitting(size, pane) };
  }

  // The same beside other views, with its chest wall at the edge of the pane: that of a right breast at the right, that
  // of a left one at the left, so that those of a pair lie together.
  function fitBeside(size, pane, scale, view) {
    const reach = pane[0] / 2 / scale;
    const x = { right: size[0] - reach, left: reach }[side(view)];
    return { x: x === undefined || 2 * reach < size[0] ? size[0] / 2 : x, y: size[1] / 2, scale };
  }

  // A box of it, so large that some of what lies around is seen too.
  function around({ x, y, width, height }, pane, share) {
    return { x: x + width / 2, y: y + height / 2, scale: share * fitting([width, height], pane) };
  }

  // A scale within its limits; `ratio` are the screen's pixels in a CSS pixel.
  function limited(scale, size, pane, ratio) {
    const whole = fitting(size, pane);
    return between(Math.min(LEAST * whole, 1 / ratio), scale, Math.max(2 * whole, MOST / ratio));
  }

  // The view within the limits of its picture: the middle of the pane stays on it.
  function clamped(view, size, pane, ratio) {
    return {
      x: between(0, view.x, size[0]), y: between(0, view.y, size[1]), scale: limited(view.scale, size, pane, ratio)
    };
  }

  // Whether a pixel of the source takes one of the screen, or several, in full.
  function exact(view, ratio) {
    const each = view.scale * ratio;
    return each > 1 - 1e-9 && Math.abs(each - Math.round(each)) < 1e-9;
  }

  // The view moved by less than a pixel of the screen, where that is so: then none is a mixture of two.
  function aligned(view, pane, ratio) {
    if (!exact(view, ratio)) return view;
    const on = (length, place) => {
      const start = Math.round((length / 2 - place * view.scale) * ratio) / ratio;
      return (length / 2 - start) / view.scale;
    };
    return { ...view, x: on(pane[0], view.x), y: on(pane[1], view.y) };
  }

  // The place of the picture at a place in the pane, and the other way round.
  function toPicture(view, pane, [x, y]) {
    return [view.x + (x - pane[0] / 2) / view.scale, view.y + (y - pane[1] / 2) / view.scale];
  }
  function toPane(view, pane, [x, y]) {
    return [pane[0] / 2 + (x - view.x) * view.scale, pane[1] / 2 + (y - view.y) * view.scale];
  }

  // Another scale, while what lies at a place in the pane stays there.
  function scaled(view, pane, at, scale) {
    const [x, y] = toPicture(view, pane, at);
    return { x: x - (at[0] - pane[0] / 2) / scale, y: y - (at[1] - pane[1] / 2) / scale, scale };
  }

  // Moved with the pointer.
  function moved(view, dx, dy) {
    return { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
  }

  // What another picture shows beside it: the same share of its width and height at the middle, at the same scale. A
  // breast of the other side lies the other way round.
  function beside(view, from, to, turned) {
    const across = view.x / from[0];
    return { x: (turned ? 1 - across : across) * to[0], y: view.y / from[1] * to[1], scale: view.scale };
  }

  // The scale at which each of several pictures fits its pane.
  function common(sizes, pane) {
    return Math.min(...sizes.map(size => fitting(size, pane)));
  }

  // Of a drawing in the picture's pixels.
  function matrix(view, pane) {
    const [x, y] = toPane(view, pane, [0, 0]);
    return `matrix(${view.scale} 0 0 ${view.scale} ${x} ${y})`;
  }

  // Pixels of the screen for each of the source's, in hundredths.
  const percent = (view, ratio) => 100 * view.scale * ratio;

  // In how many columns pictures of such sizes lie so that they are shown largest.
  function columns(sizes, stage) {
    const scale = n => common(sizes, [stage[0] / n, stage[1] / Math.ceil(sizes.length / n)]);
    return sizes.reduce((best, _, at) => (scale(at + 1) > scale(best) * 1.0001 ? at + 1 : best), 1);
  }

  // Views of a patient in the order in which they hang: CC before others, the right breast on the left. Each has
  // `view`, words such as `left MLO`.
  function hung(views) {
    const words = ({ view }) => view.toLowerCase().split(/\s+/);
    const rank = one => [words(one).includes('cc') ? 0 : 1, words(one).includes('left') ? 1 : 0];
    const pairs = views.map((one, at) => [...rank(one), at]);
    pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    return pairs.map(([, , at]) => views[at]);
  }

  // Whether two views show the one breast and the other.
  function mirrored(one, other) {
    const [a, b] = [side(one.view), side(other.view)];
    return Boolean(a && b) && a !== b;
  }

  // The picture that forms a pair with one of them: the same view of the other breast, or else the next.
  function partner(pictures, at) {
    const projection = ({ view }) => view.toLowerCase().replace(/\b(left|right)\b/, '').trim();
    const own = pictures[at];
    const other = pictures.findIndex(one => mirrored(one, own) && projection(one) === projection(own));
    return other < 0 ? (at + 1) % pictures.length : other;
  }

  unitAtlas.geometry = {
    fit, fitBeside, around, clamped, exact, aligned, limited, scaled, moved, beside, common, matrix, percent, toPicture, toPane, columns, hung,
    mirrored, partner
  };
})();
