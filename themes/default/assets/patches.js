// Draws the patches of a unit's page that are not written out: as the first of its list, from the data
// beside it (`Drawn` in src/atlas/script.rs). Runs where it stands, so that nothing moves afterwards.
(() => {
  'use strict';
  const grid = document.getElementById('atlas-patches');
  const data = document.getElementById('atlas-drawn');
  const model = grid && grid.querySelector('li');
  if (!model || !data) return;
  const { rows, href, src, show } = unitAtlas.patch;
  const drawn = JSON.parse(data.textContent);

  function item(patch, rank) {
    const li = model.cloneNode(true);
    li.querySelector('.patch').setAttribute('href', unitAtlas.link(href(patch)));
    show(li, src(patch), patch.overlay).alt = `From mammogram ${patch.mammogram}`;
    const place = li.querySelector('.rank');
    if (rank) place.textContent = rank;
    else place.remove();
    li.querySelector('.number').textContent = patch.score;
    const truth = li.querySelector('.truth');
    truth.textContent = patch.cancer ? 'cancer' : 'no cancer';
    truth.classList.toggle('positive', patch.cancer);
    return li;
  }

  const written = grid.children.length;
  grid.append(...rows(drawn.top).map((patch, at) => item(patch, written + at + 1)));
  // Groups of the same patches again, by their ranks.
  document.querySelectorAll('.groups .patch-grid').forEach(list => {
    const again = list.getAttribute('data-ranks').split(',').map(rank => grid.children[rank - 1]);
    list.append(...again.filter(Boolean).map(li => li.cloneNode(true)));
  });
  document.querySelectorAll('.levels .patch-grid').forEach((list, at) => {
    if (drawn.levels[at]) list.append(...rows(drawn.levels[at]).map(patch => item(patch, null)));
  });
})();
