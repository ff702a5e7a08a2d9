// The viewer's magnifier: a round window on the same picture, larger, where the pointer is. It loads what tiles it
// needs by itself, so it shows more than the pane does.
(() => {
  'use strict';
  const { make } = unitAtlas.page;
  const { geometry } = unitAtlas;
  // Times larger than the pane shows it, but no less than every pixel of the source.
  const TIMES = 2.5;
  // How far it lies above a finger, which would hide it.
  const RAISED = 110;

  function lens() {
    let pane = null;
    let film = null;
    let element = null;

    function off() {
      if (film) film.end();
      if (element) element.remove();
      film = pane = element = null;
    }

    function on(of) {
      off();
      pane = of;
      const surface = make('div', { class: 'viewer-film' });
      element = make('div', { class: 'viewer-lens', 'aria-hidden': 'true' }, surface);
      pane.element.append(element);
      film = unitAtlas.film(surface, pane.pyramid, () => {});
    }

    function at(of, [x, y], type) {
      if (of !== pane) on(of);
      const view = pane.seen();
      const [left, top] = geometry.toPicture(view, pane.room(), [x, y]);
      film.show({ x: left, y: top, scale: Math.max(TIMES * view.scale, 1 / pane.ratio()) });
      pane.dress(film, element.firstChild);
      element.style.left = `${x}px`;
      element.style.top = `${y - (type === 'touch' ? RAISED : 0)}px`;
    }

    return { at, off };
  }

  unitAtlas.lens = lens;
})();
