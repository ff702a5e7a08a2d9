// The viewer by keyboard: what a key press does, by the functions of its bar (`act`) and its panes (`desk`). `say` is
// heard by who does not see the screen.
(() => {
  'use strict';
  const { geometry } = unitAtlas;
  // Of the pane, by an arrow key; in levels, by an arrow key with Shift.
  const [SHARE, LEVELS] = [0.1, 4];
  // Of the pane, while a length is measured.
  const FINE = 0.01;
  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function keys(act, desk, say) {
    const acts = {
      w: () => act.tool('window'), p: () => act.tool('pan'), z: () => act.tool('zoom'), m: () => act.tool('lens'), d: () => act.tool('ruler'),
      Enter: act.mark, n: act.cycle, x: act.pair,
      0: act.fit, '=': act.fit, Home: act.fit, 1: act.whole, '+': () => act.zoom(1), '-': () => act.zoom(-1),
      i: act.invert, r: act.reset, f: act.full, b: act.beside, k: () => act.toggle('linked'), '?': act.help,
      o: () => act.toggle('overlay'), l: () => act.toggle('lesions'), g: () => act.toggle('grid'), h: () => act.toggle('heat'),
      PageUp: () => act.step(-1), PageDown: () => act.step(1)
    };

    function arrow([x, y], fine) {
      const active = desk.active();
      if (!fine) {
        const [width, height] = active.room();
        const share = desk.tool() === 'ruler' ? FINE : SHARE;
        desk.setView(geometry.moved(active.view(), -x * share * width, -y * share * height));
        return;
      }
      desk.setWindow(active.dragged(x * LEVELS, y * LEVELS));
      const [centre, width] = active.words();
      say(`Centre ${centre}, width ${width}`);
    }

    return event => {
      // The page below hears of nothing.
      event.stopPropagation();
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      // A field of the bar has keys of its own.
      if (event.target.tagName === 'INPUT') {
        if (event.key === 'Enter' || event.key === 'Escape') {
          event.preventDefault();
          desk.active().element.focus({ preventScroll: true });
        }
        return;
      }
      // Enter presses a button.
      if (event.key === 'Enter' && /^(BUTTON|SELECT)$/.test(event.target.tagName)) return;
      const move = MOVES[event.key];
      if (event.key === 'Escape') act.escape();
      else if (!desk.active()) return;
      // A list of views has arrows of its own.
      else if (move && event.target.tagName !== 'SELECT') arrow(move, event.shiftKey);
      else if (acts[event.key]) acts[event.key]();
      else return;
      event.preventDefault();
    };
  }

  unitAtlas.viewerKeys = keys;
})();
