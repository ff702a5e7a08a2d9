// What the pages do besides being read. Each part looks for its own elements and does nothing
// without them. Works from a disk: no request, no module.
(function () {
  'use strict';
  var root = document.documentElement;

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
      unitAtlas.remember('unit-atlas-theme', next);
      show();
    });
    if (query && query.addEventListener) query.addEventListener('change', show);
    show();
  }());

  // Looks of the overlay.
  (function () {
    var radios = document.querySelectorAll('.looks input');
    // Only a unit's page has the maps that heat needs; elsewhere their outlines are shown.
    if (root.getAttribute('data-look') === 'heat' && !document.querySelector('.looks [value=heat]')) {
      root.setAttribute('data-look', 'outline');
    }
    Array.prototype.forEach.call(radios, function (radio) {
      radio.checked = radio.value === root.getAttribute('data-look');
      radio.addEventListener('change', function () {
        if (!radio.checked) return;
        root.setAttribute('data-look', radio.value);
        unitAtlas.remember('unit-atlas-look', radio.value);
      });
    });
  }());

  // Left and right arrows: the neighbouring units.
  document.addEventListener('keydown', function (event) {
    if (unitAtlas.taken(event)) return;
    var rel = event.key === 'ArrowLeft' ? 'prev' : event.key === 'ArrowRight' ? 'next' : null;
    var link = rel && document.querySelector('.pager a[rel="' + rel + '"]');
    if (link) {
      event.preventDefault();
      link.click();
    }
  });

  // How patches are viewed: their size, brightness and contrast.
  (function () {
    var box = document.querySelector('.viewing-body');
    if (!box) return;
    var fields = Array.prototype.slice.call(box.querySelectorAll('input'));
    var chosen = {};
    try { chosen = JSON.parse(unitAtlas.stored('unit-atlas-viewing')) || {}; } catch (e) { /* not ours */ }

    function apply() {
      fields.forEach(function (field) {
        var value = field.type === 'checkbox' ? (field.checked ? 1 : 0) : field.value + (field.name === 'size' ? 'rem' : '');
        // A size that was chosen holds on small screens too.
        if (field.name !== 'size' || +field.value !== +field.defaultValue) {
          root.style.setProperty('--' + field.name, value);
          if (field.name === 'size') root.style.setProperty('--size-small', value);
        } else {
          root.style.removeProperty('--size');
          root.style.removeProperty('--size-small');
        }
      });
      var plain = fields.every(function (field) {
        return field.name === 'size' || (field.type === 'checkbox' ? !field.checked : +field.value === +field.defaultValue);
      });
      root.toggleAttribute('data-viewing', !plain);
    }

    fields.forEach(function (field) {
      if (typeof chosen[field.name] === 'number') {
        if (field.type === 'checkbox') field.checked = chosen[field.name] === 1;
        else field.value = chosen[field.name];
      }
    });
    box.addEventListener('input', function () {
      fields.forEach(function (field) { chosen[field.name] = field.type === 'checkbox' ? +field.checked : +field.value; });
      unitAtlas.remember('unit-atlas-viewing', JSON.stringify(chosen));
      apply();
    });
    box.querySelector('button').addEventListener('click', function () {
      fields.forEach(function (field) { field.value = field.defaultValue; field.checked = false; });
      chosen = {};
      unitAtlas.remember('unit-atlas-viewing', '{}');
      apply();
    });
    apply();
  }());

  // A table that is wider than its place is scrolled by keyboard too.
  (function () {
    var tables = document.querySelectorAll('.table');
    function reach() {
      Array.prototype.forEach.call(tables, function (table) {
        if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
        else table.removeAttribute('tabindex');
      });
    }
    window.addEventListener('resize', reach);
    reach();
  }());

  // Buttons that copy a text of the page.
  Array.prototype.forEach.call(document.querySelectorAll('[data-copy]'), function (button) {
    button.addEventListener('click', function () {
      var text = document.getElementById(button.getAttribute('data-copy'));
      var said = function (word) { button.textContent = word; };
      var select = function () {
        getSelection().selectAllChildren(text);
        said(document.execCommand('copy') ? 'Copied' : 'Selected: copy it');
      };
      if (navigator.clipboard) navigator.clipboard.writeText(text.textContent).then(function () { said('Copied'); }, select);
      else select();
    });
  });
}());
