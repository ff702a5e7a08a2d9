// The whole mammogram behind a patch: shown while the patch is pointed at or has the focus, kept by a
// click or tap, put away by Escape. Its outlines are loaded on first use.
(function () {
  'use strict';
  var body = document.querySelector('.patches-body');
  var panel = document.getElementById('atlas-context');
  if (!body || !panel) return;
  var hint = panel.firstElementChild.cloneNode(true);
  var shown = null;
  var kept = null;

  function make(name, attributes, text) {
    var svg = /^(svg|path|rect)$/.test(name);
    var element = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { element.setAttribute(key, attributes[key]); });
    if (text) element.textContent = text;
    return element;
  }

  // Mammogram and window of a patch, from its link.
  function place(patch) {
    var found = /mammograms\/([^/]+)\/index\.html#y(\d+)_x(\d+)_h(\d+)_w(\d+)$/.exec(patch.getAttribute('href'));
    return found && { id: found[1], y: found[2], x: found[3], height: found[4], width: found[5] };
  }

  function picture(mammogram, box) {
    var frame = make('div', { 'class': 'context-image' });
    frame.appendChild(make('img', {
      src: unitAtlas.address(mammogram.src), alt: mammogram.alt,
      width: mammogram.preview[0], height: mammogram.preview[1]
    }));
    var svg = make('svg', { viewBox: '0 0 ' + mammogram.size.join(' '), 'aria-hidden': 'true' });
    mammogram.lesions.forEach(function (lesion) {
      lesion.paths.forEach(function (d) { svg.appendChild(make('path', { 'class': 'lesion ' + lesion.pathology, d: d })); });
    });
    svg.appendChild(make('rect', { 'class': 'window', x: box.x, y: box.y, width: box.width, height: box.height }));
    frame.appendChild(svg);
    return frame;
  }

  function figure(patch, box, mammogram) {
    var figure = make('figure');
    var close = make('button', { type: 'button', 'class': 'context-close' }, 'Close');
    close.addEventListener('click', function () {
      var back = shown;
      put_away();
      if (back) back.focus();
      put_away();
    });
    figure.appendChild(close);
    figure.appendChild(mammogram.preview ? picture(mammogram, box) :
      make('p', { 'class': 'context-hint' }, 'The data set has only patches of this mammogram.'));
    var words = function (name) { return (patch.querySelector(name) || {}).textContent || ''; };
    var caption = make('figcaption');
    var rank = words('.rank');
    caption.appendChild(make('p', { 'class': 'context-patch' },
      'Patch' + (rank && ' ' + rank) + ': ' + words('.truth') + ', score ' + words('.number')));
    var line = make('p', {}, (mammogram.view ? mammogram.view + ', ' : '') + 'mammogram ');
    line.appendChild(make('a', { href: unitAtlas.link(mammogram.href) }, mammogram.id));
    caption.appendChild(line);
    mammogram.lesions.forEach(function (lesion) {
      var p = make('p', { 'class': 'lesion-line' });
      p.appendChild(make('span', { 'class': 'key ' + lesion.pathology, 'aria-hidden': 'true' }));
      p.appendChild(document.createTextNode(' ' + lesion.pathology + (lesion.finding && ': ' + lesion.finding)));
      if (lesion.source_words) p.appendChild(make('span', { 'class': 'faint' }, ' ' + lesion.source_words));
      if (!lesion.paths.length) p.appendChild(document.createTextNode(' (position not given)'));
      caption.appendChild(p);
    });
    if (!mammogram.lesions.length) caption.appendChild(make('p', {}, 'No lesion annotated.'));
    if (mammogram.facts.length) {
      caption.appendChild(make('p', { 'class': 'faint' },
        mammogram.facts.map(function (fact) { return fact[0] + ': ' + fact[1]; }).join('; ')));
    }
    figure.appendChild(caption);
    return figure;
  }

  function show(patch) {
    if (patch === shown) return;
    var box = place(patch);
    if (!box) return;
    clear();
    shown = patch;
    patch.classList.add('shown');
    unitAtlas.load('mammograms/' + box.id + '/outlines.js', function (mammogram) {
      // The reader may have moved on while it was loaded.
      if (!mammogram || shown !== patch) return;
      panel.replaceChildren(figure(patch, box, mammogram));
      panel.classList.add('open');
    });
  }

  function clear() {
    if (shown) shown.classList.remove('shown');
    shown = null;
  }

  function put_away() {
    clear();
    if (kept) kept.classList.remove('kept');
    kept = null;
    panel.replaceChildren(hint.cloneNode(true));
    panel.classList.remove('open');
  }

  function patch_of(event) {
    return event.target.closest ? event.target.closest('.patch') : null;
  }

  body.addEventListener('pointerover', function (event) {
    var patch = patch_of(event);
    // A finger does not hover: it taps.
    if (patch && !kept && event.pointerType !== 'touch') show(patch);
  });
  body.addEventListener('focusin', function (event) {
    var patch = patch_of(event);
    if (patch && !kept) show(patch);
  });
  body.addEventListener('click', function (event) {
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
    if (event.key === 'Escape' && !document.querySelector('dialog[open]')) put_away();
  });
  // Where the panel has a place of its own, it begins with the best patch.
  if (window.matchMedia && window.matchMedia('(min-width: 60.01rem)').matches) {
    var best = body.querySelector('.patch');
    if (best) show(best);
  }
}());
