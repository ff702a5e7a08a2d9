// Patches in the data of pages (`Patches` in src/atlas/script.rs): a column of values for each of their
// properties, so that a name stands once and not with every patch.
(() => {
  'use strict';

  // Columns as one object per patch: mammogram, x, y, edge, score, cancer, overlay.
  function rows(columns) {
    const names = Object.keys(columns);
    return columns.mammogram.map((_, at) => Object.fromEntries(names.map(name => [name, columns[name][at]])));
  }

  // The name of a patch's window in its mammogram.
  const place = ({ x, y, edge }) => `y${y}_x${x}_h${edge}_w${edge}`;
  // Where a patch lies: its mammogram's page, at its window.
  const href = patch => `mammograms/${patch.mammogram}/index.html#${place(patch)}`;
  const src = patch => `patches/${patch.mammogram}-${place(patch)}.jpg`;

  // Mammogram and window from such a link; null where it is none.
  function placeOf(link) {
    const found = /mammograms\/([^/]+)\/index\.html#y(\d+)_x(\d+)_h(\d+)_w\d+$/.exec(link);
    return found && { mammogram: found[1], x: Number(found[3]), y: Number(found[2]), edge: Number(found[4]) };
  }

  // Puts a picture and its overlay into an element that holds those of another, or empty ones. Gives the image.
  function show(element, path, overlay) {
    const img = element.querySelector('img');
    img.src = unitAtlas.address(path);
    const drawn = element.querySelector('path');
    const frame = drawn.getAttribute('d');
    drawn.setAttribute('d', frame.slice(0, frame.indexOf('Z') + 1) + overlay);
    return img;
  }

  unitAtlas.patch = { rows, href, src, placeOf, show };
})();
