// A picture in the viewer with what is drawn over it and what is said of it. It knows its own view and window, and
// nothing of other panes.
(() => {
  'use strict';
  const { make, draw } = unitAtlas.page;
  const { geometry, greys, tiles, depth } = unitAtlas;
  // What can be drawn over a picture, the last on top.
  const LAYERS = ['heat', 'grid', 'lesions', 'overlay'];
  let count = 0;

  const ratio = () => window.devicePixelRatio || 1;
  const times = size => `${size[0]} × ${size[1]}`;

  // A filter that draws grey levels along a line; the levels are the file's own, so nothing is converted.
  function filter(id) {
    const parts = ['R', 'G', 'B'].map(channel => draw(`feFunc${channel}`, { type: 'linear', slope: 1, intercept: 0 }));
    const node = draw('svg', { class: 'viewer-filter', 'aria-hidden': 'true', width: 0, height: 0 },
      draw('filter', { id, x: 0, y: 0, width: '100%', height: '100%', 'color-interpolation-filters': 'sRGB' },
        draw('feComponentTransfer', {}, ...parts)));
    return {
      node,
      set({ slope, intercept }) {
        parts.forEach(part => {
          part.setAttribute('slope', slope);
          part.setAttribute('intercept', intercept);
        });
      }
    };
  }

  // Each line stands on a dark one: so it is seen on white tissue.
  function lined(nodes) {
    const lines = nodes.filter(node => !node.matches('.chance, .cut, image'));
    return [...lines.map(node => {
      const under = node.cloneNode(true);
      under.setAttribute('class', 'under');
      return under;
    }), ...nodes];
  }

  // `picture` of viewer-scene.js.
  function pane(picture) {
    count += 1;
    const id = `atlas-viewer-greys-${count}`;
    const pyramid = tiles.pyramid(picture);
    const { size } = picture;
    const layers = LAYERS.map(name => draw('g', { class: name }, ...lined(picture.marks[name] || [])));
    const ruler = picture.micron ? unitAtlas.ruler.ruler(picture) : null;
    const ground = draw('g', {}, ...layers, ...(ruler ? [ruler.drawing] : []));
    const sieve = filter(id);
    const surface = make('div', { class: 'viewer-film' });
    const said = make('span', { class: 'viewer-said' });
    const zoom = make('span', {});
    const levels = make('p', { class: 'viewer-levels' });
    const pointed = make('p', { class: 'viewer-value' });
    const problem = make('p', { class: 'viewer-problem', role: 'alert' });
    const drawing = draw('svg', { class: 'viewer-marks', 'aria-hidden': 'true' }, ground);
    const finest = pyramid.sizes[pyramid.levels - 1];
    const rendition = finest[0] < size[0] ? `, shown from ${times(finest)}` : '';
    const element = make('div', { class: 'viewer-pane', role: 'group', tabindex: '0', 'aria-label': picture.alt },
      sieve.node, surface, drawing,
      make('p', { class: 'viewer-title' }, picture.title),
      make('p', { class: 'viewer-zoom' }, zoom, ` of ${times(size)} px${rendition}`, said), levels, pointed, problem, ...(ruler ? [ruler.said] : []));
    let view = null;
    // The same on whole pixels of the screen, where it is drawn; many small steps add up to what they are.
    let seen = null;
    let window = greys.PLAIN;
    const limits = picture.greys ? depth.limits(picture.greys) : greys.LIMITS;

    const film = unitAtlas.film(surface, pyramid, state => {
      element.dataset.state = state;
      said.textContent = state === 'loading' ? ', loading' : '';
      problem.textContent = state === 'failed' ? 'A part of this picture could not be loaded. Is the whole folder there?' : '';
    });
    const room = () => [Math.max(1, element.clientWidth), Math.max(1, element.clientHeight)];

    function show(next) {
      view = geometry.clamped(next, size, room(), ratio());
      seen = geometry.aligned(view, room(), ratio());
      film.show(seen);
      ground.setAttribute('transform', geometry.matrix(seen, room()));
      zoom.textContent = `${Math.round(geometry.percent(view, ratio()))}%`;
      if (ruler) ruler.place(seen, room());
    }

    // Centre and width, in the source's unit where its values are there, in levels of the picture otherwise.
    const shown = () => (picture.greys ? depth.stored(picture.greys, window) : [window.centre, window.width]);
    const words = () => shown().map(value => (picture.greys ? depth.words(value) : String(Math.round(value))));
    let table = null;

    // The window of this pane, over a film of the same picture.
    function dress(over, node) {
      if (picture.greys) over.tone(table);
      else node.style.filter = greys.plain(window) ? '' : `url(#${id})`;
    }

    function setWindow(next) {
      window = greys.valid(next, limits);
      if (picture.greys) table = depth.table(picture.greys, window);
      else sieve.set(greys.line(window));
      dress(film, surface);
      const [centre, width] = words();
      levels.textContent = `C ${centre}  W ${width}${window.invert ? '  inverted' : ''}`;
    }

    setWindow(window);
    return {
      element,
      picture,
      pyramid,
      room,
      ratio,
      view: () => view,
      seen: () => seen,
      window: () => window,
      shown,
      words,
      ruler,
      // Tells the source's value at a place in the pane; null where nothing is pointed at.
      point(at) {
        const [x, y] = at && picture.greys ? geometry.toPicture(seen, room(), at) : [-1, -1];
        const within = x >= 0 && y >= 0 && x < size[0] && y < size[1];
        const code = within ? film.code(x, y) : null;
        if (code === null) pointed.textContent = '';
        else pointed.textContent = code === picture.greys.padding ? 'padding' : `value ${depth.words(picture.greys.first + picture.greys.step * code)}`;
      },
      dress,
      // As it would be, dragged by so many CSS pixels; and with centre and width as they are shown.
      dragged: (dx, dy) => greys.dragged(window, dx, dy, limits),
      asked: pair => ({ ...(picture.greys ? depth.levels(picture.greys, pair) : { centre: pair[0], width: pair[1] }), invert: window.invert }),
      has: name => (picture.marks[name] || []).length > 0,
      show,
      setWindow,
      setLayer(name, on) { layers[LAYERS.indexOf(name)].style.display = on ? '' : 'none'; },
      // To a scale in CSS pixels for each of the source's, around a place in the pane or its middle.
      zoomTo(scale, at = room().map(length => length / 2)) {
        const { scale: next } = geometry.clamped({ ...view, scale }, size, room(), ratio());
        show(geometry.scaled(view, room(), at, next));
      },
      end() {
        film.end();
        element.remove();
      }
    };
  }

  unitAtlas.pane = { LAYERS, pane };
})();
