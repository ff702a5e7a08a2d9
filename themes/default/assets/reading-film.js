// The pictures of a case: the mammogram, the patient's other views beside it, and all of them in the viewer.
(() => {
  'use strict';
  const { element, make, draw } = unitAtlas.page;

  const titleOf = (view, at) => [at === 0 ? 'Mammogram to score' : 'Other view', view.view].filter(Boolean).join(', ');

  function picture(view, at) {
    const [width, height] = view.size;
    const button = make('button', {
      class: 'reading-picture', type: 'button', style: `--wide: ${width}; --high: ${height}`,
      'aria-label': `${titleOf(view, at)}: open in the viewer`
    }, make('img', { src: unitAtlas.address(view.src), alt: '', width: view.pixels[0], height: view.pixels[1] }));
    if (at === 0) {
      button.append(draw('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }));
    }
    return make('figure', { style: `--aspect: ${width / height}` }, button, make('figcaption', {}, at === 0 ? titleOf(view, at) : view.view || 'Other view'));
  }

  function film() {
    const main = element('reading-main-view');
    const others = element('reading-others');
    // The open case, and what is drawn over its mammogram: { place, pixels, overlay }, or null.
    let views = [];
    let marks = null;

    function clear() {
      views = [];
      marks = null;
      main.replaceChildren();
      others.replaceChildren();
    }

    function show(asked) {
      ({ views } = asked);
      marks = null;
      main.replaceChildren(picture(views[0], 0));
      others.replaceChildren(...views.slice(1).map((view, at) => picture(view, at + 1)));
      others.hidden = views.length === 1;
    }

    // Draws the patch that decided, with what a unit saw in it.
    function mark(place, pixels, overlay) {
      marks = { place, pixels, overlay };
      const { x, y, edge } = place;
      const region = draw('path', { class: 'region', d: overlay, transform: `translate(${x} ${y}) scale(${edge / pixels})` });
      main.querySelector('svg').replaceChildren(
        draw('rect', { class: 'window', x, y, width: edge, height: edge }), ...(overlay ? [region] : []));
    }

    function scene(at, focused, parts) {
      const overlays = marks && [parts.frame(marks.place), ...(marks.overlay ? [parts.region(marks.overlay, marks.place, marks.pixels)] : [])];
      const pictures = views.map((view, i) => ({
        title: titleOf(view, i), alt: titleOf(view, i), view: view.view, size: view.size, micron: view.micron, pixels: view.pixels, src: view.src,
        tiles: parts.usable(view.tiles), marks: i === 0 && overlays ? { overlay: overlays } : {}
      }));
      const meant = pictures[at];
      const hung = unitAtlas.geometry.hung(pictures);
      const box = focused && marks && { x: marks.place.x, y: marks.place.y, width: marks.place.edge, height: marks.place.edge };
      return { pictures: hung, at: hung.indexOf(meant), focus: box || null };
    }

    // Opens the viewer at one of the views; at the patch that decided where `focused`.
    function enlarge(at, focused, from) {
      if (!views[at]) return;
      unitAtlas.viewer.open(parts => ({
        count: 1, at: 0, unit: 'picture', scene: (_, then) => then(scene(at, focused, parts))
      }), from);
    }

    main.addEventListener('click', event => {
      if (event.target.closest('button')) enlarge(0, false, event.target.closest('button'));
    });
    others.addEventListener('click', event => {
      const button = event.target.closest('button');
      const at = Array.from(others.querySelectorAll('button')).indexOf(button);
      if (button) enlarge(at + 1, false, button);
    });

    return { clear, show, mark, enlarge };
  }

  unitAtlas.reading.film = film;
})();
