// What the survey's scripts share: elements found, made and counted.
window.unitAtlasPage = (function () {
  'use strict';

  function make(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function counted(n, one, many) {
    return n + ' ' + (n === 1 ? one : many);
  }

  return { element: id => document.getElementById(id), make, counted };
}());
