// A picture drawn by OpenSeadragon from its one file or its tiles, for a view of viewer-geometry.js. Its gestures,
// controls and animations are off: it draws. By a canvas of two dimensions, for which no pixel has to be read: from a
// disk none may be.
(() => {
  'use strict';

  // The pyramid of viewer-tiles.js as a tile source.
  function source(pyramid) {
    const { OpenSeadragon } = window;
    const { Point, Rect } = OpenSeadragon;
    const [width, height] = pyramid.size;
    const tiles = new OpenSeadragon.TileSource({
      width, height, tileSize: pyramid.edge, tileOverlap: 0, minLevel: 0, maxLevel: pyramid.levels - 1
    });
    return Object.assign(tiles, {
      getTileUrl: (level, x, y) => pyramid.address || unitAtlas.address(pyramid.path(level, x, y)),
      getLevelScale: level => pyramid.sizes[level][0] / width,
      getNumTiles: level => new Point(...pyramid.counts(level)),
      getPixelRatio: level => new Point(...pyramid.sizes[level].map(length => OpenSeadragon.pixelDensityRatio / length)),
      getTileAtPoint: (level, { x, y }) => new Point(...pyramid.at(level, [x, y])),
      getTileBounds(level, x, y, within) {
        if (!within) return new Rect(...pyramid.bounds(level, x, y));
        const [, , w, h] = pyramid.box(level, x, y);
        return new Rect(0, 0, w, h);
      }
    });
  }

  // Draws into an element. `said('loading' | 'loaded' | 'failed')` hears how far it is.
  function film(element, pyramid, said) {
    const { OpenSeadragon } = window;
    let view = null;
    let failed = false;
    const drawn = OpenSeadragon({
      element,
      tileSources: source(pyramid),
      drawer: 'canvas',
      mouseNavEnabled: false,
      keyboardNavEnabled: false,
      // It keeps what fits, not what is shown.
      autoResize: false,
      showNavigationControl: false,
      showSequenceControl: false,
      animationTime: 0,
      blendTime: 0,
      visibilityRatio: 0,
      minZoomImageRatio: 0,
      minZoomLevel: 1e-6,
      maxZoomLevel: 1e6,
      smoothTileEdgesMinZoom: Infinity,
      maxTilesPerFrame: 8
    });
    // The pane around it is what has the focus and a name.
    drawn.canvas.removeAttribute('tabindex');

    function apply() {
      if (!view || !drawn.viewport || !drawn.isOpen()) return;
      const room = new OpenSeadragon.Point(Math.max(1, element.clientWidth), Math.max(1, element.clientHeight));
      if (!drawn.viewport.getContainerSize().equals(room)) {
        drawn.viewport.resize(room);
        drawn.forceRedraw();
      }
      drawn.viewport.zoomTo(view.scale * pyramid.size[0] / room.x, null, true);
      drawn.viewport.panTo(new OpenSeadragon.Point(view.x / pyramid.size[0], view.y / pyramid.size[0]), true);
    }

    drawn.addHandler('open', () => {
      const image = drawn.world.getItemAt(0);
      image.addHandler('fully-loaded-change', ({ fullyLoaded }) => {
        if (!failed) said(fullyLoaded ? 'loaded' : 'loading');
      });
      apply();
    });
    ['open-failed', 'tile-load-failed'].forEach(name => drawn.addHandler(name, () => {
      failed = true;
      said('failed');
    }));
    said('loading');

    return {
      show(next) {
        view = next;
        apply();
      },
      end: () => drawn.destroy()
    };
  }

  unitAtlas.film = film;
})();
