// Fills the unit's citation in from the address, `#vgg16/conv5_3/0063`, and copies.
(function () {
  'use strict';
  var unit = document.getElementById('atlas-cite-unit');
  if (!unit) return;
  var blank = unit.textContent;

  function fill() {
    var name = decodeURIComponent(location.hash.slice(1));
    if (!/^[\w.-]+\/[\w.-]+\/\d{4,}$/.test(name)) return;
    var page = location.href.replace(/[?#].*$/, '').replace(/cite\/index\.html$/, 'networks/' + name + '/index.html');
    unit.textContent = blank.replace('{unit,', '{unit-' + name.replace(/\//g, '-') + ',')
      // Within a title an underscore is a command; within an address it is itself.
      .replace('unit UNIT', 'unit ' + name.replace(/_/g, '\\_'))
      .replace('/networks/UNIT/', '/networks/' + name + '/')
      .replace('ADDRESS', /^https?:/.test(page) ? page : 'ADDRESS');
    document.getElementById('unit').scrollIntoView();
  }

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
  window.addEventListener('hashchange', fill);
  fill();
}());
