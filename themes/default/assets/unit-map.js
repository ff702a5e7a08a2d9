// The map of a layer's units on its page: drawn, zoomed, moved, and reached by pointer, finger and keyboard.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;
  const { layout, patch } = unitAtlas;
  const { palette, prepare, ring, stamp } = unitAtlas.marks;
  // How near a pointer and a finger must come, in pixels, and how far may move what is a click.
  const REACH = { mouse: 14, touch: 26 };
  const STILL = 5;
  const FADED = 0.14;
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const ZOOMS = { in: 1.6, out: 1 / 1.6 };

  // Of all rows of the layer with a folder; `open` is told the number of a unit that is about to be opened.
  unitAtlas.unitMap = (rows, folder, open) => {
    const section = element('atlas-map');
    if (!section) return null;
    const find = selector => section.querySelector(selector);
    const [box, canvas, card] = ['.unit-map-frame', '.unit-map-frame canvas', '.unit-map-card'].map(find);
    const placed = rows.filter(({ unit }) => unit.place);
    let view = layout.WHOLE;
    let wanted = placed;
    let marks = layout.marks(placed, 'detects');
    let chosen = null;
    const reach = layout.reach(placed);
    let frame = { width: 1, height: 1, reach };
    let waiting = false;

    const radius = () => (placed.length > 600 ? 3.6 : 5) * Math.min(view.zoom ** 0.35, 2.4);

    function draw() {
      waiting = false;
      if (section.hidden) return;
      frame = { width: box.clientWidth, height: box.clientHeight, reach };
      putCard();
      const colours = palette(section);
      const to = prepare(canvas, frame.width, frame.height);
      const among = new Set(wanted);
      const put = row => stamp(to, marks.mark(row), colours, layout.spot(view, frame, row.unit.place), radius());
      to.globalAlpha = FADED;
      placed.filter(row => !among.has(row)).forEach(put);
      to.globalAlpha = 1;
      // What stands out lies above what does not.
      const plain = row => marks.mark(row).form === 'dot';
      wanted.filter(plain).forEach(put);
      wanted.filter(row => !plain(row)).forEach(put);
      if (chosen) ring(to, colours, layout.spot(view, frame, chosen.unit.place), radius() + 4);
      box.classList.toggle('zoomed', view.zoom > 1);
      box.setAttribute('data-zoom', view.zoom.toFixed(2));
    }

    function redraw() {
      if (!waiting) window.requestAnimationFrame(draw);
      waiting = true;
    }

    // Beside the chosen unit, and within the frame.
    function putCard() {
      card.hidden = !chosen;
      if (!chosen) return;
      const [x, y] = layout.spot(view, frame, chosen.unit.place);
      const [width, height] = [card.offsetWidth, card.offsetHeight];
      const left = x + 14 + width > frame.width ? x - 14 - width : x + 14;
      const top = Math.min(Math.max(y - height / 2, 4), frame.height - height - 4);
      card.style.transform = `translate(${Math.max(left, 4)}px, ${top}px)`;
    }

    function choose(row, by = '') {
      if (row === chosen) return;
      chosen = row;
      box.classList.toggle('pointing', Boolean(row));
      card.classList.toggle('tapped', by === 'touch');
      if (row) {
        const { unit, number, patches } = row;
        card.href = unitAtlas.link(`${folder}${number}/index.html`);
        card.querySelector('.picture').hidden = !patches[0];
        if (patches[0]) patch.show(card, patch.src(patches[0]), patches[0].overlay);
        card.querySelector('strong').textContent = number;
        card.querySelector('.unit-map-words span').textContent = unit.label || 'no name';
        if (by === 'keyboard') element('atlas-map-said').textContent = `${number}, ${unit.label || 'no name'}`;
      }
      redraw();
    }

    function look(next) {
      view = next;
      redraw();
    }

    const at = event => {
      const edge = box.getBoundingClientRect();
      return [event.clientX - edge.left - box.clientLeft, event.clientY - edge.top - box.clientTop];
    };
    const hit = event => layout.nearest(wanted, view, frame, at(event), REACH[event.pointerType] || REACH.mouse);

    // Pointers that are down, by their id: where they are, how far they have come, whether the first is on the card.
    const down = new Map();
    let travelled = 0;
    let onCard = false;

    box.addEventListener('pointerdown', event => {
      if (event.button > 0) return;
      if (down.size === 0) [travelled, onCard] = [0, card.contains(event.target)];
      down.set(event.pointerId, at(event));
    });
    box.addEventListener('pointermove', event => {
      const before = down.get(event.pointerId);
      const now = at(event);
      if (!before) {
        if (event.pointerType !== 'touch') choose(hit(event));
        return;
      }
      const way = [now[0] - before[0], now[1] - before[1]];
      travelled += Math.hypot(...way);
      if (travelled <= STILL && down.size === 1) return;
      box.setPointerCapture(event.pointerId);
      box.classList.add('dragging');
      const other = Array.from(down).find(([id]) => id !== event.pointerId);
      down.set(event.pointerId, now);
      if (other) {
        // Two fingers: what is between them stays there.
        const apart = place => Math.max(Math.hypot(place[0] - other[1][0], place[1] - other[1][1]), 1);
        const middle = [0, 1].map(axis => (now[axis] + other[1][axis]) / 2);
        const turned = layout.zoomed(view, frame, apart(now) / apart(before), middle);
        look(layout.moved(turned, frame, way.map(part => part / 2)));
      } else look(layout.moved(view, frame, way));
    });
    const up = event => {
      const was = down.delete(event.pointerId);
      if (down.size === 0) box.classList.remove('dragging');
      // A tap on the card opens it by itself.
      if (!was || event.type !== 'pointerup' || travelled > STILL || onCard) return;
      const row = hit(event);
      // A finger sees first what it opens next.
      if (event.pointerType === 'touch' && row !== chosen) choose(row, 'touch');
      else if (row) {
        choose(row);
        card.click();
      } else choose(null);
    };
    box.addEventListener('pointerup', up);
    box.addEventListener('pointercancel', up);
    box.addEventListener('pointerleave', event => { if (event.pointerType === 'mouse' && down.size === 0) choose(null); });
    box.addEventListener('wheel', event => {
      // The whole map lets the page scroll on.
      if (event.deltaY > 0 && view.zoom === 1) return;
      event.preventDefault();
      // Steps are pixels or lines; two fingers on a touch pad make small ones, with the Ctrl key.
      const by = (event.deltaMode === 1 ? 16 : 1) * (event.ctrlKey ? 5 : 1);
      look(layout.zoomed(view, frame, Math.exp(-event.deltaY * by * 0.002), at(event)));
    }, { passive: false });

    box.addEventListener('focus', () => {
      if (!chosen && wanted.length > 0 && box.matches(':focus-visible')) {
        choose(layout.nearest(wanted, view, frame, [frame.width / 2, frame.height / 2]), 'keyboard');
      }
    });
    box.addEventListener('blur', () => choose(null));
    // What the keys do; arrows, to the next unit that way.
    function step(direction) {
      const from = chosen || layout.nearest(wanted, view, frame, [frame.width / 2, frame.height / 2]);
      const next = from && (layout.towards(wanted, from, direction) || from);
      if (next) view = layout.reaching(view, frame, next.unit.place);
      choose(next, 'keyboard');
    }
    const actions = new Map([
      ['Enter', () => { if (chosen) card.click(); }],
      ['Escape', () => choose(null)],
      ['+', () => look(layout.zoomed(view, frame, ZOOMS.in, chosen ? layout.spot(view, frame, chosen.unit.place) : undefined))],
      ['-', () => look(layout.zoomed(view, frame, ZOOMS.out))],
      ['0', () => look(layout.WHOLE)],
      ...Object.entries(ARROWS).map(([key, direction]) => [key, () => step(direction)])
    ]);
    box.addEventListener('keydown', event => {
      // A plus may need the Shift key.
      const plus = event.key === '+' && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (!actions.has(event.key) || (unitAtlas.page.taken(event) && !plus)) return;
      actions.get(event.key)();
      event.preventDefault();
    });
    // The focus stays on the map.
    card.addEventListener('mousedown', event => event.preventDefault());
    card.addEventListener('click', () => { if (chosen) open(chosen.number); });
    section.addEventListener('click', event => {
      const button = event.target.closest('[data-zoom]');
      if (!button || button === box) return;
      const factor = ZOOMS[button.getAttribute('data-zoom')];
      look(factor ? layout.zoomed(view, frame, factor) : layout.WHOLE);
    });
    // Before the frame is painted at its new size.
    new window.ResizeObserver(draw).observe(box);
    new window.MutationObserver(() => { legend(); redraw(); })
      .observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });

    function legend() {
      const colours = palette(section);
      const items = marks.ramp
        ? [make('li', {}, 'rank 1', make('span', { class: 'ramp', 'aria-hidden': 'true' }), `rank ${marks.ramp}`)]
        : marks.legend.map(({ words, mark }) => {
          const swatch = make('canvas', { 'aria-hidden': 'true' });
          stamp(prepare(swatch, 14.4, 14.4), mark, colours, [7.2, 7.2], 5);
          return make('li', {}, swatch, words);
        });
      find('.unit-map-legend').replaceChildren(...items);
    }

    return {
      // Shows the map or not: rows that are not wanted fade.
      show(visible, found, colour) {
        section.hidden = !visible;
        wanted = found.filter(({ unit }) => unit.place);
        marks = layout.marks(placed, colour);
        if (chosen && !wanted.includes(chosen)) choose(null);
        if (!visible) return;
        frame = { width: box.clientWidth, height: box.clientHeight, reach };
        legend();
        redraw();
      },
      // What is in sight, to come back to.
      view: () => view,
      look: next => look(layout.bounded(next))
    };
  };
})();
