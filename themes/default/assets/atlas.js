// What the pages do besides being read. Each part looks for its own elements and does nothing
// without them. Works from a disk: no request, no module.
(function () {
  'use strict';
  var root = document.documentElement;

  function remember(key, value) {
    try { window.localStorage.setItem(key, value); } catch (e) { /* private mode: not remembered */ }
  }

  // Whether a key press belongs to a field the reader is typing in, or to the browser.
  function taken(event) {
    var target = event.target;
    return event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey ||
      (target && (target.isContentEditable || /^(input|select|textarea)$/i.test(target.tagName || '')));
  }

  // Light and dark.
  (function () {
    var button = document.getElementById('atlas-theme');
    if (!button) return;
    var query = window.matchMedia ? window.matchMedia('(prefers-color-scheme: light)') : null;
    function current() {
      return root.getAttribute('data-theme') || (query && query.matches ? 'light' : 'dark');
    }
    function show() {
      var light = current() === 'light';
      button.textContent = light ? 'Dark' : 'Light';
      button.setAttribute('aria-label', light ? 'Switch to the dark look' : 'Switch to the light look');
    }
    button.addEventListener('click', function () {
      var next = current() === 'light' ? 'dark' : 'light';
      root.setAttribute('data-theme', next);
      remember('unit-atlas-theme', next);
      show();
    });
    if (query && query.addEventListener) query.addEventListener('change', show);
    show();
  }());

  // Looks of the overlay.
  (function () {
    var radios = document.querySelectorAll('.looks input');
    Array.prototype.forEach.call(radios, function (radio) {
      radio.checked = radio.value === root.getAttribute('data-look');
      radio.addEventListener('change', function () {
        if (!radio.checked) return;
        root.setAttribute('data-look', radio.value);
        remember('unit-atlas-look', radio.value);
      });
    });
  }());

  // Left and right arrows: the neighbouring units.
  document.addEventListener('keydown', function (event) {
    if (taken(event)) return;
    var rel = event.key === 'ArrowLeft' ? 'prev' : event.key === 'ArrowRight' ? 'next' : null;
    var link = rel && document.querySelector('.pager a[rel="' + rel + '"]');
    if (link) {
      event.preventDefault();
      link.click();
    }
  });

  // The whole mammogram behind a patch: shown while the patch is pointed at or has the focus, kept
  // by a click or tap, put away by Escape.
  (function () {
    var grid = document.getElementById('atlas-patches');
    var panel = document.getElementById('atlas-context');
    if (!grid || !panel || !('content' in document.createElement('template'))) return;
    var hint = panel.innerHTML;
    var templates = {};
    Array.prototype.forEach.call(document.querySelectorAll('template[data-mammogram]'), function (t) {
      templates[t.getAttribute('data-mammogram')] = t;
    });
    var shown = null;
    var kept = null;

    function show(patch) {
      if (patch === shown) return;
      clear();
      var template = templates[patch.getAttribute('data-mammogram')];
      if (!template) return;
      var figure = template.content.cloneNode(true);
      var box = patch.getAttribute('data-box').split(' ');
      var frame = figure.querySelector('.window');
      // Without a whole mammogram there is nothing to frame.
      ['x', 'y', 'width', 'height'].forEach(function (name, i) {
        if (frame) frame.setAttribute(name, box[Math.min(i, 2)]);
      });
      var line = figure.querySelector('.context-patch');
      line.textContent = 'Patch ' + patch.getAttribute('data-rank') + ': ' +
        patch.getAttribute('data-label') + ', score ' + patch.getAttribute('data-score');
      figure.querySelector('.context-close').addEventListener('click', function () {
        var back = shown;
        put_away();
        if (back) back.focus();
        put_away();
      });
      panel.innerHTML = '';
      panel.appendChild(figure);
      panel.classList.add('open');
      patch.classList.add('shown');
      shown = patch;
    }

    function clear() {
      if (shown) shown.classList.remove('shown');
      shown = null;
    }

    function put_away() {
      clear();
      if (kept) kept.classList.remove('kept');
      kept = null;
      panel.innerHTML = hint;
      panel.classList.remove('open');
    }

    function patch_of(event) {
      return event.target.closest ? event.target.closest('.patch') : null;
    }

    grid.addEventListener('pointerover', function (event) {
      var patch = patch_of(event);
      // A finger does not hover: it taps.
      if (patch && !kept && event.pointerType !== 'touch') show(patch);
    });
    grid.addEventListener('focusin', function (event) {
      var patch = patch_of(event);
      if (patch && !kept) show(patch);
    });
    grid.addEventListener('click', function (event) {
      var patch = patch_of(event);
      if (!patch || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      var again = kept === patch;
      if (kept) kept.classList.remove('kept');
      kept = null;
      if (again) {
        put_away();
      } else {
        show(patch);
        kept = patch;
        patch.classList.add('kept');
      }
    });
    document.addEventListener('keydown', function (event) {
      if (event.key === 'Escape') put_away();
    });
    // Where the panel has a place of its own, it begins with the best patch.
    if (window.matchMedia && window.matchMedia('(min-width: 60.01rem)').matches) {
      var best = grid.querySelector('.patch');
      if (best) show(best);
    }
  }());

  // Filter and order of a layer's units.
  (function () {
    var form = document.getElementById('atlas-filter');
    var list = document.getElementById('atlas-units');
    if (!form || !list) return;
    var count = document.getElementById('atlas-count');
    var none = document.getElementById('atlas-none');
    var rows = Array.prototype.slice.call(list.children).map(function (item, at) {
      var number = function (name) { return parseFloat(item.getAttribute('data-' + name)) || 0; };
      return {
        item: item, at: at, words: item.getAttribute('data-words'), label: item.getAttribute('data-label'),
        iou: number('iou'), score: number('score'), cancer: number('cancer'),
        influence: number('influence')
      };
    });
    var orders = {
      unit: function (a, b) { return a.at - b.at; },
      // Units without a label come last.
      label: function (a, b) {
        return (a.label ? 0 : 1) - (b.label ? 0 : 1) || a.label.localeCompare(b.label) || a.at - b.at;
      }
    };
    ['iou', 'score', 'cancer', 'influence'].forEach(function (name) {
      orders[name] = function (a, b) { return b[name] - a[name] || a.at - b.at; };
    });
    var order = 'unit';

    function filter() {
      var wanted = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
      var shown = 0;
      rows.forEach(function (row) {
        var fits = wanted.every(function (word) { return row.words.indexOf(word) >= 0; });
        row.item.hidden = !fits;
        if (fits) shown += 1;
      });
      count.textContent = shown === rows.length ? rows.length + ' units' : shown + ' of ' + rows.length + ' units';
      none.hidden = shown > 0;
    }

    function sort() {
      if (form.elements.sort.value === order) return;
      order = form.elements.sort.value;
      var fragment = document.createDocumentFragment();
      rows.slice().sort(orders[order]).forEach(function (row) { fragment.appendChild(row.item); });
      list.appendChild(fragment);
    }

    form.addEventListener('input', function (event) {
      if (event.target.name === 'q') filter();
    });
    form.addEventListener('change', sort);
    form.addEventListener('submit', function (event) { event.preventDefault(); });
    // A browser that goes back restores the fields, not the list.
    filter();
    sort();
  }());
}());
