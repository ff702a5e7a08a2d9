// A picture drawn by OpenSeadragon from its one file or its tiles, for a view of viewer-geometry.js. Its gestures,
// controls and animations are off: it draws. By a canvas of two dimensions, for which no pixel has to be read: from a
// disk none may be. Tiles of values are painted here, by the table that `tone` was given last.
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

  // Paints the tiles of a source from their values, each when it is drawn and its table is another than before. Gives
  // what takes the next table.
  function painter(tiles, pyramid) {
    const painted = new Map();
    const name = ({ level, x, y }) => `${level}/${x}/${y}`;
    // What pixels are put together in, for each size of a tile.
    const sheets = new Map();
    let table = null;

    function paint(one) {
      if (one.table === table) return;
      one.table = table;
      const { width, height } = one.context.canvas;
      const size = `${width} ${height}`;
      if (!sheets.has(size)) sheets.set(size, one.context.createImageData(width, height));
      unitAtlas.depth.paint(one.codes, table, sheets.get(size).data);
      one.context.putImageData(sheets.get(size), 0, 0);
    }

    tiles.downloadTileStart = job => {
      const { level, x, y } = job.tile;
      const [, , width, height] = pyramid.box(level, x, y);
      unitAtlas.depth.tile(pyramid.path(level, x, y), [width, height]).then(codes => {
        const context = unitAtlas.page.make('canvas', { width, height }).getContext('2d');
        const one = { codes, context, table: null };
        painted.set(name(job.tile), one);
        paint(one);
        job.finish(context, null, 'context2d');
      }, () => job.fail('It could not be read'));
    };
    tiles.downloadTileAbort = () => {};
    return {
      listen(viewer) {
        viewer.addHandler('tile-drawing', ({ tile }) => {
          const one = painted.get(name(tile));
          if (one) paint(one);
        });
        viewer.addHandler('tile-unloaded', ({ tile }) => painted.delete(name(tile)));
      },
      tone(next) { table = next; },
      // The code at a place in the source's pixels, where its finest tile is there.
      code(x, y) {
        const level = pyramid.levels - 1;
        const [width, height] = pyramid.sizes[level];
        const [column, row] = [Math.floor(x / pyramid.size[0] * width), Math.floor(y / pyramid.size[1] * height)];
        const [tx, ty] = [column, row].map(at => Math.floor(at / pyramid.edge));
        const one = painted.get(name({ level, x: tx, y: ty }));
        return one ? one.codes[(row - ty * pyramid.edge) * one.context.canvas.width + column - tx * pyramid.edge] : null;
      }
    };
  }

  // Draws into an element. `said('loading' | 'loaded' | 'failed')` hears how far it is.
  function film(element, pyramid, said) {
    const { OpenSeadragon } = window;
    let view = null;
    let failed = false;
    const tiles = source(pyramid);
    const values = pyramid.values ? painter(tiles, pyramid) : null;
    const drawn = OpenSeadragon({
      element,
      tileSources: tiles,
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
      // Values take more memory than a picture that is still packed.
      maxImageCacheCount: pyramid.values ? 100 : 200,
      maxTilesPerFrame: 8
    });
    if (values) values.listen(drawn);
    // Against seams it draws each tile a pixel wider and higher, which blurs what lies on the screen's pixels already.
    const seams = drawn.drawer.minimumOverlapRequired.bind(drawn.drawer);
    drawn.drawer.minimumOverlapRequired = image => seams(image) && !(view && unitAtlas.geometry.exact(view, OpenSeadragon.pixelDensityRatio));
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
      // The grey level of the screen for each code, of a picture of values.
      tone(table) {
        if (!values) return;
        values.tone(table);
        if (drawn.isOpen()) drawn.forceRedraw();
      },
      code: (x, y) => (values ? values.code(x, y) : null),
      end: () => drawn.destroy()
    };
  }

  unitAtlas.film = film;
})();
