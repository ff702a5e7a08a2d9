// A layer's units: filtered, sorted, and drawn as they come into sight. What is asked for stands in the
// address after `#`, so that a view can be linked.
(function () {
  'use strict';
  // As many units as are drawn at a time.
  var CHUNK = 24;
  var form = document.getElementById('atlas-filter');
  var list = document.getElementById('atlas-units');
  var template = document.getElementById('atlas-unit');
  var folder = location.pathname;
  if (!form || !list || !template) return;
  var data = null;
  Object.keys(window.unitAtlasData || {}).forEach(function (path) {
    if (/\/units\.js$/.test(path)) { data = window.unitAtlasData[path]; folder = path.replace(/units\.js$/, ''); }
  });
  if (!data) return;
  var count = document.getElementById('atlas-count');
  var none = document.getElementById('atlas-none');
  var sentinel = list.parentNode.insertBefore(document.createElement('div'), list.nextSibling);
  // Four digits, or more where there are more.
  var number_of = function (at) { return ('000' + (at + 1)).slice(-Math.max(4, String(at + 1).length)); };

  var rows = data.units.map(function (unit, at) {
    var concept = unit.concept === null ? ['', ''] : data.concepts[unit.concept];
    var readers = unit.readers.map(function (i) { return data.readers[i]; });
    var categories = unit.categories.map(function (i) { return data.categories[i]; });
    return {
      at: at, unit: unit, number: number_of(at), concept: concept, readers: readers, categories: categories,
      iou: unit.iou, score: unit.sort_score, cancer: unit.cancer, influence: unit.influence === null ? -Infinity : -unit.influence,
      auc: unit.auc === null ? -1 : unit.auc,
      words: [number_of(at), unit.label, concept[1], unit.words || ''].concat(readers).join(' ').toLowerCase()
    };
  });
  var orders = {
    '': function (a, b) { return a.at - b.at; },
    // Units without a label come last.
    label: function (a, b) {
      return (a.unit.label ? 0 : 1) - (b.unit.label ? 0 : 1) || a.unit.label.localeCompare(b.unit.label) || a.at - b.at;
    }
  };
  ['iou', 'score', 'cancer', 'influence', 'auc'].forEach(function (name) {
    orders[name] = function (a, b) { return b[name] - a[name] || a.at - b.at; };
  });
  var names = Array.prototype.map.call(form.querySelectorAll('[name]'), function (field) { return field.name; })
    .filter(function (name, at, all) { return name !== 'look' && all.indexOf(name) === at; });
  var value = function (name) { return form.elements[name] ? form.elements[name].value : ''; };

  function fits(row) {
    var unit = row.unit;
    var category = value('category');
    var concept = value('concept');
    var reader = value('reader');
    var detector = value('detector');
    var cancer = value('cancer');
    return (!category || row.categories.indexOf(category) >= 0) &&
      (!concept || row.concept[0] === concept) &&
      (!reader || (reader === '*' ? row.readers.length > 0 : row.readers.indexOf(reader.slice(1)) >= 0)) &&
      (!detector || (detector === '0' ? unit.detector === 0 : unit.detector >= +detector)) &&
      (!cancer || 100 * unit.cancer >= +cancer * unit.of);
  }

  var wanted = [];
  var drawn = 0;

  function card(row) {
    var unit = row.unit;
    var item = template.content.firstElementChild.cloneNode(true);
    var href = unitAtlas.link(folder + row.number + '/index.html');
    var find = function (selector) { return item.querySelector(selector); };
    var link = find('h2 a');
    link.textContent = row.number;
    link.href = href;
    item.setAttribute('data-unit', row.number);
    var label = find('.unit-label');
    label.textContent = unit.label || 'no name';
    if (!unit.label) label.className = 'faint';
    find('.by').textContent = { 2: 'readers', 3: 'consensus' }[unit.from] || '';
    var strip = find('.strip');
    strip.href = href;
    var model = strip.firstElementChild;
    unit.patches.forEach(function (patch) { unitAtlas.draw(strip.appendChild(model.cloneNode(true)), patch); });
    strip.removeChild(model);
    var iou = find('.iou');
    iou.textContent = unit.iou > 0 ? 'best match ' + row.concept[1] + ', IoU ' + unit.iou.toFixed(3) : '';
    iou.classList.toggle('strong', unit.detector > 0);
    find('.score').textContent = 'score ' + unit.score;
    find('.cancer').textContent = unit.cancer + ' of ' + unit.of + ' with cancer';
    find('.influence').textContent = unit.influence === null ? 'not live' : 'influence rank ' + unit.influence;
    return item;
  }

  function more() {
    var fragment = document.createDocumentFragment();
    wanted.slice(drawn, drawn + CHUNK).forEach(function (row) { fragment.appendChild(card(row)); });
    drawn = Math.min(drawn + CHUNK, wanted.length);
    list.appendChild(fragment);
    sentinel.hidden = drawn >= wanted.length;
  }

  function show() {
    var words = value('q').toLowerCase().split(/\s+/).filter(Boolean);
    wanted = rows.filter(function (row) {
      return words.every(function (word) { return row.words.indexOf(word) >= 0; }) && fits(row);
    }).sort(orders[value('sort')] || orders['']);
    list.replaceChildren();
    drawn = 0;
    more();
    count.textContent = wanted.length === rows.length ? rows.length + ' units' : wanted.length + ' of ' + rows.length + ' units';
    none.hidden = wanted.length > 0;
  }

  function write() {
    var parts = [];
    names.forEach(function (name) {
      if (value(name)) parts.push(name + '=' + encodeURIComponent(value(name)));
    });
    // The history gets no entry for each letter.
    try { history.replaceState(null, '', '#' + parts.join('&')); } catch (e) { /* a page within a frame */ }
  }

  // False when the address asks for a place of the page, not for a view.
  function read() {
    var asked = location.hash.slice(1);
    if (asked && asked.indexOf('=') < 0) return false;
    var given = {};
    asked.split('&').forEach(function (part) {
      var at = part.indexOf('=');
      try {
        if (at > 0) given[part.slice(0, at)] = decodeURIComponent(part.slice(at + 1));
      } catch (e) { /* not written by this page */ }
    });
    names.forEach(function (name) {
      var field = form.elements[name];
      field.value = given[name] || '';
      // A choice that this layer does not have.
      if (field.selectedIndex === -1) field.value = '';
    });
    return true;
  }

  form.addEventListener('input', function (event) {
    if (event.target.name === 'look') return;
    show();
    write();
  });
  form.addEventListener('reset', function () {
    // The fields are empty only after this event.
    setTimeout(function () { show(); write(); }, 0);
  });
  form.addEventListener('submit', function (event) { event.preventDefault(); });
  window.addEventListener('hashchange', function () { if (read()) show(); });
  new IntersectionObserver(function (entries) {
    if (entries.some(function (entry) { return entry.isIntersecting; }) && drawn < wanted.length) more();
  }, { rootMargin: '0px 0px 1500px 0px' }).observe(sentinel);
  read();
  show();
}());
