// Before the first paint: the reader's choices, so that nothing flickers, and what other scripts share.
(function () {
  'use strict';
  var root = document.documentElement;
  root.className = 'js';
  var stored = function (key) {
    try { return window.localStorage.getItem(key); } catch (e) { return null; }
  };
  var theme = stored('unit-atlas-theme');
  if (theme === 'light' || theme === 'dark') root.setAttribute('data-theme', theme);
  var look = stored('unit-atlas-look');
  root.setAttribute('data-look', /^(outline|heat|none)$/.test(look) ? look : 'dim');

  var above = root.getAttribute('data-root') || '';
  // A page within a single file asks the file around it for addresses.
  var address = window.unitAtlasAddress || function (path) { return above + path; };
  var waiting = {};

  window.unitAtlas = {
    // Address of something by its path below the root of the site.
    address: address,

    // A link to a page of the site, as it would stand in the markup.
    link: function (path) { return above + path; },

    remember: function (key, value) {
      try { window.localStorage.setItem(key, value); } catch (e) { /* private mode: not remembered */ }
    },

    stored: stored,

    // Gives `then` the data of a script of the site, loaded on first use; null where there is none.
    load: function (path, then) {
      var here = function () { return (window.unitAtlasData || {})[path]; };
      if (here()) return then(here());
      if (waiting[path]) return void waiting[path].push(then);
      waiting[path] = [then];
      var script = document.createElement('script');
      script.src = address(path);
      script.onload = script.onerror = function () {
        var list = waiting[path];
        delete waiting[path];
        list.forEach(function (next) { next(here() || null); });
      };
      document.head.appendChild(script);
    },

    // Whether a key press belongs to a field the reader is typing in, or to the browser.
    taken: function (event) {
      var target = event.target;
      return event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey ||
        (target && (target.isContentEditable || /^(input|select|textarea)$/i.test(target.tagName || '')));
    },

    // A patch of data is [mammogram, x, y, edge, score, positive, overlay].
    place: function (patch) {
      return 'y' + patch[2] + '_x' + patch[1] + '_h' + patch[3] + '_w' + patch[3];
    },

    // Puts a patch into an element that holds an image and an overlay of another.
    draw: function (element, patch) {
      var img = element.querySelector('img');
      img.src = address('patches/' + patch[0] + '-' + unitAtlas.place(patch) + '.jpg');
      var path = element.querySelector('path');
      var frame = path.getAttribute('d');
      path.setAttribute('d', frame.slice(0, frame.indexOf('Z') + 1) + patch[6]);
      return img;
    }
  };
}());
