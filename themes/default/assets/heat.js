// The heat look of a unit's top patches: the whole activation map, upsampled as for the outlines, from no
// activation (clear) to the unit's best score. Drawn when it is first asked for.
(function () {
  'use strict';
  var root = document.documentElement;
  var grid = document.getElementById('atlas-patches');
  var data = document.getElementById('atlas-drawn');
  var heat = grid && data && JSON.parse(data.textContent).heat;
  if (!heat) return;
  var ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  // Points along an edge; the browser smooths between them.
  var POINTS = 64;
  // From dark to light, so that brightness alone tells the order: violet, red, orange, pale yellow.
  var STOPS = [[40, 11, 84], [137, 34, 106], [212, 72, 66], [249, 149, 28], [252, 255, 164]];
  var drawn = false;

  // Between which cells a point lies, and how far: level beyond the outermost ones.
  function taps(cells) {
    var list = [];
    for (var i = 0; i < POINTS; i += 1) {
      var at = ((i + 0.5) * heat.edge / POINTS - heat.centre) / heat.stride;
      at = Math.min(cells - 1, Math.max(0, at));
      var low = Math.floor(at);
      list.push([low, Math.min(low + 1, cells - 1), at - low]);
    }
    return list;
  }

  function colour(pixels, at, level) {
    var place = level * (STOPS.length - 1);
    var low = Math.min(STOPS.length - 2, Math.floor(place));
    for (var c = 0; c < 3; c += 1) {
      pixels[at + c] = STOPS[low][c] + (STOPS[low + 1][c] - STOPS[low][c]) * (place - low);
    }
    pixels[at + 3] = 255 * Math.min(0.75, 0.84 * level * level);
  }

  function canvas(map, rows, columns) {
    var element = document.createElement('canvas');
    element.width = element.height = POINTS;
    element.setAttribute('aria-hidden', 'true');
    var context = element.getContext('2d');
    var image = context.createImageData(POINTS, POINTS);
    var width = heat.map[1];
    var value = function (row, column) { return ALPHABET.indexOf(map.charAt(row * width + column)) / 63; };
    rows.forEach(function (row, y) {
      columns.forEach(function (column, x) {
        var above = value(row[0], column[0]) * (1 - column[2]) + value(row[0], column[1]) * column[2];
        var below = value(row[1], column[0]) * (1 - column[2]) + value(row[1], column[1]) * column[2];
        colour(image.data, 4 * (y * POINTS + x), above * (1 - row[2]) + below * row[2]);
      });
    });
    context.putImageData(image, 0, 0);
    return element;
  }

  function draw() {
    if (drawn || root.getAttribute('data-look') !== 'heat') return;
    drawn = true;
    var rows = taps(heat.map[0]);
    var columns = taps(heat.map[1]);
    Array.prototype.forEach.call(grid.querySelectorAll('.picture'), function (picture, rank) {
      if (heat.maps[rank]) picture.insertBefore(canvas(heat.maps[rank], rows, columns), picture.querySelector('svg'));
    });
  }

  document.addEventListener('change', function (event) {
    if (event.target.name === 'look') draw();
  });
  draw();
}());
