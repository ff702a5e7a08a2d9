// Search over units, labels, terms, mammograms and pages: opened by its button or `/`. What is searched
// is loaded on first use.
(function () {
  'use strict';
  var MOST = 40;
  var button = document.getElementById('atlas-search');
  if (!button || !window.HTMLDialogElement) return;
  var dialog = null;
  var input, list, status;
  var entries = null;

  function make(name, attributes, text) {
    var element = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { element.setAttribute(key, attributes[key]); });
    if (text) element.textContent = text;
    return element;
  }

  function build() {
    dialog = make('dialog', { 'class': 'search', 'aria-label': 'Search' });
    var bar = make('div', { 'class': 'search-bar' });
    var label = make('label', {}, 'Search ');
    input = make('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', placeholder: 'unit, label, term, mammogram, page' });
    label.appendChild(input);
    bar.appendChild(label);
    var close = make('button', { type: 'button', 'class': 'quiet' }, 'Close');
    close.addEventListener('click', function () { dialog.close(); });
    bar.appendChild(close);
    dialog.appendChild(bar);
    status = make('output', { 'class': 'search-status', 'aria-live': 'polite' });
    dialog.appendChild(status);
    list = make('ul', { 'class': 'search-results' });
    dialog.appendChild(list);
    document.body.appendChild(dialog);
    input.addEventListener('input', show);
    input.addEventListener('keydown', function (event) {
      var first = list.querySelector('a');
      if (event.key === 'Enter' && first) { event.preventDefault(); first.click(); }
    });
    dialog.addEventListener('keydown', function (event) {
      if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
      var stops = [input].concat(Array.prototype.slice.call(list.querySelectorAll('a')));
      var at = stops.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1);
      event.preventDefault();
      if (stops[at]) stops[at].focus();
    });
    // A click beside it.
    dialog.addEventListener('click', function (event) { if (event.target === dialog) dialog.close(); });
    list.addEventListener('click', function (event) { if (event.target.closest('a')) dialog.close(); });
  }

  // Everything that can be found: its words, what is shown of it, where it is, and its rank among equals.
  function index(data) {
    var all = [];
    var add = function (kind, order, title, note, href, more, number) {
      all.push({ kind: kind, order: order, title: title, note: note, href: href, number: number || 0,
        head: title.toLowerCase(), text: (title + ' ' + note + ' ' + (more || '')).toLowerCase() });
    };
    data.pages.forEach(function (page) { add('page', 1, page[0], page[2], page[1], ''); });
    data.terms.forEach(function (term) { add('term', 0, term[0], term[1], term[2], term[3]); });
    data.layers.forEach(function (layer) {
      for (var unit = 1; unit <= layer.units; unit += 1) {
        var name = layer.name + '/' + ('000' + unit).slice(-Math.max(4, String(unit).length));
        var label = layer.labels[unit] || '';
        add('unit', label ? 2 : 3, name, label, 'networks/' + name + '/index.html', layer.words[unit], unit);
      }
    });
    data.mammograms.forEach(function (image) {
      add('mammogram', 4, image[0], image[1], 'mammograms/' + image[0] + '/index.html', 'mammogram');
    });
    return all;
  }

  // Entries that hold all words, the best first.
  function find(words) {
    var found = [];
    var number = words.length && /^\d+$/.test(words[words.length - 1]) ? +words[words.length - 1] : 0;
    entries.forEach(function (entry) {
      for (var i = 0; i < words.length; i += 1) if (entry.text.indexOf(words[i]) < 0) return;
      var first = words[0];
      var score = entry.head === words.join(' ') ? 0 : number && entry.number === number ? 1 :
        entry.head.indexOf(first) === 0 ? 2 : (' ' + entry.text).indexOf(' ' + first) >= 0 ? 3 : 4;
      found.push({ entry: entry, score: score, at: found.length });
    });
    found.sort(function (a, b) { return a.score - b.score || a.entry.order - b.entry.order || a.at - b.at; });
    return found.map(function (hit) { return hit.entry; });
  }

  function show() {
    var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    list.replaceChildren();
    if (!entries) return;
    if (!words.length) { status.textContent = ''; return; }
    var found = find(words);
    status.textContent = !found.length ? 'Nothing found.' :
      found.length > MOST ? 'The first ' + MOST + ' of ' + found.length : found.length + (found.length === 1 ? ' result' : ' results');
    var fragment = document.createDocumentFragment();
    found.slice(0, MOST).forEach(function (entry) {
      var link = make('a', { href: unitAtlas.link(entry.href) });
      link.appendChild(make('span', { 'class': 'search-title' }, entry.title));
      link.appendChild(document.createTextNode(' '));
      link.appendChild(make('span', { 'class': 'faint' }, entry.note));
      link.appendChild(document.createTextNode(' '));
      link.appendChild(make('span', { 'class': 'search-kind' }, entry.kind));
      fragment.appendChild(make('li')).appendChild(link);
    });
    list.appendChild(fragment);
  }

  function open() {
    if (!dialog) build();
    if (!dialog.open) dialog.showModal();
    input.focus();
    input.select();
    if (entries) return;
    status.textContent = 'Loading …';
    unitAtlas.load('data/search.js', function (data) {
      if (!data) { status.textContent = 'What is searched could not be loaded.'; return; }
      entries = index(data);
      status.textContent = '';
      show();
    });
  }

  button.addEventListener('click', open);
  document.addEventListener('keydown', function (event) {
    if (event.key !== '/' || unitAtlas.taken(event)) return;
    event.preventDefault();
    open();
  });
}());
