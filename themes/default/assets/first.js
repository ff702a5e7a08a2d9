// Before the first paint: the reader's choices, so that nothing flickers.
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
  root.setAttribute('data-look', look === 'outline' || look === 'none' ? look : 'dim');
}());
