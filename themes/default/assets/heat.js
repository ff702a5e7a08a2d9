// The heat look of a unit's top patches: the whole activation map, drawn when it is first asked for.
(() => {
  'use strict';
  const grid = document.getElementById('atlas-patches');
  const data = document.getElementById('atlas-drawn');
  const heat = grid && data && JSON.parse(data.textContent).heat;
  if (!heat) return;
  // Points along an edge; the browser smooths between them.
  const POINTS = 64;
  let drawn = false;

  function canvas(map) {
    const element = unitAtlas.page.make('canvas', { width: POINTS, height: POINTS, 'aria-hidden': 'true' });
    const context = element.getContext('2d');
    const image = context.createImageData(POINTS, POINTS);
    image.data.set(unitAtlas.heatMap.pixels(heat, map, POINTS));
    context.putImageData(image, 0, 0);
    return element;
  }

  function draw() {
    if (drawn || document.documentElement.getAttribute('data-look') !== 'heat') return;
    drawn = true;
    grid.querySelectorAll('.picture').forEach((picture, rank) => {
      if (heat.maps[rank]) picture.insertBefore(canvas(heat.maps[rank]), picture.querySelector('svg'));
    });
  }

  // The map of one of the patches as a picture; null where it has none.
  function pictureOf(patch) {
    const map = heat.maps[Array.from(grid.querySelectorAll('.patch')).indexOf(patch)];
    return map ? canvas(map).toDataURL() : null;
  }

  unitAtlas.heat = { picture: pictureOf };
  document.addEventListener('change', event => {
    if (event.target.name === 'look') draw();
  });
  window.addEventListener('hashchange', draw);
  draw();
})();
