// A layer's units as cards of three sizes, made from the template of its page: made once, and kept.
(() => {
  'use strict';
  const { patch } = unitAtlas;
  // How many patches a card has, and how many cards are made at a time: they fill about a window.
  const SIZES = { small: { patches: 1, portion: 120 }, medium: { patches: 2, portion: 48 }, large: { patches: 4, portion: 24 } };

  // A card without its unit: what its size does not show is left out.
  function model(template, size) {
    const item = template.content.firstElementChild.cloneNode(true);
    if (size !== 'large') item.querySelector('.unit-row-numbers').remove();
    if (size === 'small') item.querySelector('.unit-row-head p').remove();
    const strip = item.querySelector('.strip');
    for (let more = 1; more < SIZES[size].patches; more += 1) strip.append(strip.firstElementChild.cloneNode(true));
    return item;
  }

  // Words under the patches of a large card.
  function numbers(item, { unit, concept }, ranked) {
    const find = selector => item.querySelector(selector);
    const iou = find('.iou');
    iou.textContent = concept ? `IoU ${unit.iou.toFixed(3)} with ${concept.name}` : 'meets no outline';
    iou.title = iou.textContent;
    iou.classList.toggle('strong', unit.detects);
    find('.score').textContent = `best score ${unit.score}`;
    find('.cancer').textContent = `${unit.cancer} of ${unit.of} with cancer${unit.groups ? ', of two kinds' : ''}`;
    // Where none is ranked, influence was not measured.
    if (ranked) {
      find('.influence').textContent =
        unit.influence === null ? 'not live' : `influence ${unit.influence} of ${ranked}`;
    }
  }

  // Gives what makes the card of a row in a size: `folder` is its layer's, of whose units so many are ranked.
  function maker(template, folder, ranked) {
    const kept = { small: new Map(), medium: new Map(), large: new Map() };
    const models = {};

    function made(row, size) {
      const { unit, number, patches } = row;
      const item = (models[size] = models[size] || model(template, size)).cloneNode(true);
      const href = unitAtlas.link(`${folder}${number}/index.html`);
      const link = item.querySelector('h2 a');
      link.textContent = number;
      link.href = href;
      item.setAttribute('data-unit', number);
      item.classList.toggle('detects', unit.detects);
      const strip = item.querySelector('.strip');
      strip.href = href;
      Array.from(strip.children).forEach((picture, at) => {
        if (patches[at]) patch.show(picture, patch.src(patches[at]), patches[at].overlay);
        else picture.remove();
      });
      const label = item.querySelector('.unit-label');
      if (label) {
        label.textContent = unit.label || 'no name';
        if (!unit.label) label.className = 'faint';
        label.parentNode.title = unit.label;
        item.querySelector('.by').textContent = ['readers', 'consensus'].includes(unit.from) ? unit.from : '';
      }
      if (size === 'large') numbers(item, row, ranked);
      return item;
    }

    return (row, size) => {
      if (!kept[size].has(row)) kept[size].set(row, made(row, size));
      return kept[size].get(row);
    };
  }

  unitAtlas.layerCards = { SIZES, maker };
})();
