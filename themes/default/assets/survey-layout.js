// Where things lie in the survey: the way of the arrow keys through a grid, and a mammogram within its film.
(() => {
  'use strict';

  // The place that an arrow key leads to from another, in a grid of items with these distances from its top;
  // null where the key is no arrow or there is nothing.
  function neighbour(tops, from, key) {
    const columns = tops.filter(top => top === tops[0]).length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
    const to = from + step;
    return to >= 0 && to < tops.length ? to : null;
  }

  // A mammogram as large as a film of some width and height lets it be, or so many times larger with the patch in
  // the middle: the width it is shown at, the film's height, and how far the film is scrolled.
  function film({ width, height }, patch, most, zoom) {
    const fit = Math.min(most.width, most.height * width / height);
    const scale = fit * zoom / width;
    const shown = Math.min(most.height, height * scale);
    return {
      width: Math.floor(fit * zoom),
      height: Math.ceil(shown),
      // Counted from the middle of the film.
      left: (patch.x + patch.edge / 2) * scale,
      top: (patch.y + patch.edge / 2) * scale
    };
  }

  // The edge of as many squares that fill a room together, `gap` apart, whole ones only.
  function filling(count, { width, height }, gap) {
    const edge = columns => {
      const rows = Math.ceil(count / columns);
      return Math.min((width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows);
    };
    return Math.max(0, ...Array.from({ length: count }, (_, at) => Math.floor(edge(at + 1))));
  }

  // The height that the film may have in a window.
  function room(window) {
    return Math.max(240, window.height * (window.width < 960 ? 0.45 : 0.7));
  }

  unitAtlas.survey.layout = { neighbour, film, filling, room };
})();
