// The map of a layer's units: which part of it is in sight, what lies where, and what marks each unit. Units
// lie in [-1, 1] along either axis (`place` of `LayerUnit` in src/atlas/script.rs). A frame has a width and a
// height in pixels, and how far units reach along either axis; touches no page.
(() => {
  'use strict';
  // Pixels between the outermost units and the frame, and how far in one can zoom.
  const MARGIN = 24;
  const MOST = 40;
  // As many kinds have a colour and a form of their own.
  const FORMS = ['circle', 'square', 'triangle', 'diamond', 'ring', 'down', 'cross'];
  const PLAIN = { colour: '--map-plain', form: 'dot' };
  const WHOLE = { x: 0, y: 0, zoom: 1 };

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  // How far rows reach from the middle, along either axis.
  const reach = rows => [0, 1].map(axis => rows.reduce((most, { unit }) => Math.max(most, Math.abs(unit.place[axis])), 1e-3));
  // Pixels of a frame per unit of length: the whole map fits into it.
  const scale = (view, { width, height, reach: [across, down] }) =>
    view.zoom * Math.max(Math.min((width / 2 - MARGIN) / across, (height / 2 - MARGIN) / down), 1);

  // A view that shows some of the map: the whole of it stays in the middle.
  function bounded({ x, y, zoom }) {
    const inside = clamp(zoom, 1, MOST);
    const aside = 1 - 1 / inside;
    // Not the negative zero.
    return { x: clamp(x, -aside, aside) + 0, y: clamp(y, -aside, aside) + 0, zoom: inside };
  }

  // Pixels of a place.
  function spot(view, frame, [x, y]) {
    const by = scale(view, frame);
    return [frame.width / 2 + (x - view.x) * by, frame.height / 2 + (y - view.y) * by];
  }

  // The view moved by pixels.
  function moved(view, frame, [across, down]) {
    const by = scale(view, frame);
    return bounded({ ...view, x: view.x - across / by, y: view.y - down / by });
  }

  // The view by a factor larger; what is at a pixel stays there.
  function zoomed(view, frame, factor, [px, py] = [frame.width / 2, frame.height / 2]) {
    const zoom = clamp(view.zoom * factor, 1, MOST);
    const [before, after] = [scale(view, frame), scale({ zoom }, frame)];
    const [dx, dy] = [px - frame.width / 2, py - frame.height / 2];
    return bounded({ x: view.x + dx / before - dx / after, y: view.y + dy / before - dy / after, zoom });
  }

  // The view moved as little as brings a place into sight.
  function reaching(view, frame, place) {
    const at = spot(view, frame, place);
    const [across, down] = [frame.width, frame.height].map((edge, axis) => clamp(at[axis], MARGIN, edge - MARGIN) - at[axis]);
    return across || down ? moved(view, frame, [across, down]) : view;
  }

  // Of rows, the one nearest to a pixel, no further than `most`; null where there is none.
  function nearest(rows, view, frame, [px, py], most = Infinity) {
    let found = null;
    let least = most * most;
    rows.forEach(row => {
      const [x, y] = spot(view, frame, row.unit.place);
      const away = (x - px) ** 2 + (y - py) ** 2;
      if (away <= least) [found, least] = [row, away];
    });
    return found;
  }

  // Of rows, the next one in a direction: what lies straight ahead before what lies aside.
  function towards(rows, from, [dx, dy]) {
    let found = null;
    let least = Infinity;
    rows.forEach(row => {
      const [x, y] = [0, 1].map(axis => row.unit.place[axis] - from.unit.place[axis]);
      const ahead = x * dx + y * dy;
      const aside = Math.abs(x * dy - y * dx);
      const cost = ahead + 2 * aside;
      if (ahead > 0 && row !== from && cost < least) [found, least] = [row, cost];
    });
    return found;
  }

  // The marks of rows by their categories: the most frequent have one of their own.
  function categories(rows) {
    const counts = new Map();
    rows.forEach(row => row.categories.slice(0, 1).forEach(name => counts.set(name, (counts.get(name) || 0) + 1)));
    const all = Array.from(counts.keys()).sort((a, b) => counts.get(b) - counts.get(a));
    const shown = all.length > FORMS.length ? all.slice(0, FORMS.length - 1) : all;
    const mark = at => ({ colour: `--map-${at + 1}`, form: FORMS[at] });
    const marks = new Map(all.map((name, at) => [name, mark(Math.min(at, FORMS.length - 1))]));
    const legend = shown.map(name => ({ words: name, mark: marks.get(name) }));
    if (shown.length < all.length) legend.push({ words: 'other', mark: mark(FORMS.length - 1) });
    return {
      legend: [...legend, { words: 'none', mark: PLAIN }],
      mark: row => marks.get(row.categories[0]) || PLAIN
    };
  }

  // By what units are coloured: a legend, and the mark of a row. A share is a place between two colours.
  const COLOURS = {
    detects: () => {
      const mark = { colour: '--map-1', form: 'circle' };
      return {
        legend: [{ words: 'detects a concept', mark }, { words: 'detects none', mark: PLAIN }],
        mark: ({ unit }) => (unit.detects ? mark : PLAIN)
      };
    },
    category: categories,
    influence: rows => {
      const last = Math.max(1, ...rows.map(({ unit }) => unit.influence || 0));
      const share = rank => 1 - (rank - 1) / Math.max(1, last - 1);
      return { ramp: last, mark: ({ unit }) => ({ share: unit.influence ? share(unit.influence) : 0, form: 'circle' }) };
    }
  };
  const marks = (rows, colour) => (COLOURS[colour] || COLOURS.detects)(rows);

  unitAtlas.layout = { WHOLE, reach, bounded, spot, moved, zoomed, reaching, nearest, towards, marks };
})();
