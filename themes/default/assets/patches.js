// Draws the patches of a unit's page that are not written out: as the first of its list, from the data
// beside it. Runs where it stands, so that nothing moves afterwards.
(function () {
  'use strict';
  var grid = document.getElementById('atlas-patches');
  var data = document.getElementById('atlas-drawn');
  var model = grid && grid.querySelector('li');
  if (!model || !data) return;
  var drawn = JSON.parse(data.textContent);

  function item(patch, rank) {
    var li = model.cloneNode(true);
    li.querySelector('.patch').setAttribute('href',
      unitAtlas.link('mammograms/' + patch[0] + '/index.html#' + unitAtlas.place(patch)));
    unitAtlas.draw(li, patch).alt = 'From mammogram ' + patch[0];
    var place = li.querySelector('.rank');
    if (rank) place.textContent = rank;
    else place.parentNode.removeChild(place);
    li.querySelector('.number').textContent = patch[4];
    var truth = li.querySelector('.truth');
    truth.textContent = patch[5] ? 'cancer' : 'no cancer';
    truth.classList.toggle('positive', !!patch[5]);
    return li;
  }

  function fill(list, patches, before) {
    var fragment = document.createDocumentFragment();
    patches.forEach(function (patch, at) { fragment.appendChild(item(patch, before && before + at + 1)); });
    list.appendChild(fragment);
  }

  fill(grid, drawn.top, grid.children.length);
  Array.prototype.forEach.call(document.querySelectorAll('.levels .patch-grid'), function (list, at) {
    fill(list, drawn.levels[at] || [], 0);
  });
}());
