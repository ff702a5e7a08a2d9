// The files of a picture by level, column and row: a pyramid whose levels are each about half as wide as the next
// (`tiles` of a mammogram), or one file. Whatever its pixels, it covers the source's: places are shares of its width.
(() => {
  'use strict';

  // `picture`: `size` of the source; `src`, its path, or an `address` as it is, with its size `pixels`; `tiles`, where it
  // has them, with `src` (the folder), `edge` of a tile, `sizes` of the levels from the smallest, and whether they hold
  // `values` of the source.
  function pyramid({ size, src, address, pixels, tiles }) {
    const sizes = tiles ? tiles.sizes : [pixels];
    const edge = tiles ? tiles.edge : Math.max(...pixels);
    const tall = size[1] / size[0];

    const counts = level => sizes[level].map(length => Math.ceil(length / edge));

    // Left, top, width and height of a tile in the pixels of its level.
    function box(level, column, row) {
      const [width, height] = sizes[level];
      const [x, y] = [column * edge, row * edge];
      return [x, y, Math.min(edge, width - x), Math.min(edge, height - y)];
    }

    // The same in shares of the picture's width.
    function bounds(level, column, row) {
      const [width, height] = sizes[level];
      const [x, y, w, h] = box(level, column, row);
      return [x / width, y / height * tall, w / width, h / height * tall];
    }

    // Column and row of the tile that holds a place.
    function at(level, [x, y]) {
      const place = [x, y / tall];
      return counts(level).map((count, axis) =>
        Math.min(count - 1, Math.max(0, Math.floor(place[axis] * sizes[level][axis] / edge))));
    }

    const values = Boolean(tiles && tiles.values);
    const path = (level, column, row) => (tiles ? `${tiles.src}${level}/${column}_${row}.${values ? 'js' : 'jpg'}` : src);

    return { size, sizes, edge, values, levels: sizes.length, address: tiles ? null : address || null, counts, box, bounds, at, path };
  }

  // Whether such tiles can be drawn.
  function valid(tiles) {
    const length = value => Number.isInteger(value) && value > 0;
    return Boolean(tiles) && typeof tiles.src === 'string' && length(tiles.edge) && Array.isArray(tiles.sizes) &&
      tiles.sizes.length > 0 && tiles.sizes.every(size => Array.isArray(size) && size.length === 2 && size.every(length));
  }

  unitAtlas.tiles = { pyramid, valid };
})();
