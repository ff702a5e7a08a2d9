// Previous and next on a unit's page: along the list that it was opened from, else in the order of numbers,
// as the page has them.
(() => {
  'use strict';
  const { followed, page } = unitAtlas;
  const pager = document.querySelector('.pager[data-unit]');
  const said = page.element('atlas-list');
  if (!pager || !said) return;
  const [, folder, number] = /^(.*\/)([^/]+)$/.exec(`networks/${pager.getAttribute('data-unit')}`);
  const list = followed.of(folder, number);
  if (!list) return;

  // Its neighbour in the list by the link that the page has, or a new one; the link goes where there is none.
  function lead(rel, other) {
    let link = pager.querySelector(`a[rel="${rel}"]`);
    if (!other) {
      if (link) link.remove();
      return;
    }
    const text = rel === 'prev' ? 'Previous unit,' : 'Next unit,';
    const arrow = page.make('span', { 'aria-hidden': 'true' }, rel === 'prev' ? '←' : '→');
    const words = [page.make('span', { class: 'visually-hidden' }, text), ` ${other} `];
    if (!link) {
      link = page.make('a', { rel });
      said.before(link);
    }
    link.replaceChildren(...(rel === 'prev' ? [arrow, ' ', ...words] : [...words, arrow]));
    link.setAttribute('href', unitAtlas.link(`${folder}${other}/index.html`));
    link.addEventListener('click', () => followed.keep({ ...list, at: other }));
  }

  lead('prev', list.numbers[list.place - 1]);
  lead('next', list.numbers[list.place + 1]);
  // The list follows this page again when it is come back to.
  followed.keep({ ...list, at: number });
  const back = said.querySelector('a');
  const at = `${list.hash.length > 1 ? `${list.hash}&` : '#'}at=${number}`;
  back.setAttribute('href', unitAtlas.link(`${folder}index.html${at}`));
  const words = list.words ? `: ${list.words}` : '';
  said.replaceChildren(`${list.place + 1} of ${list.numbers.length} in `, back, words);
  said.title = said.textContent;
})();
