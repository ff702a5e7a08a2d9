// A length in a picture of the viewer: a line between two places, and how long it is on the detector or the film. Only
// where the size of a pixel is known.
(() => {
  'use strict';
  const { make, draw } = unitAtlas.page;
  const { geometry } = unitAtlas;

  // In millimetres; `micron` is the edge of a pixel.
  const length = ([a, b], micron) => Math.hypot(a[0] - b[0], a[1] - b[1]) * micron / 1000;
  const words = millimetres => `${millimetres.toFixed(1)} mm`;

  function ruler({ size, micron }) {
    // One or two places of the picture; whether the second still follows.
    let ends = [];
    let open = false;
    const lines = ['under', 'length'].map(name => draw('line', { class: name }));
    const drawing = draw('g', { class: 'ruler' }, ...lines);
    const said = make('p', { class: 'viewer-length' });
    drawing.style.display = 'none';
    said.hidden = true;
    const within = point => point.map((at, axis) => Math.min(size[axis], Math.max(0, at)));

    function place(view, room) {
      const shown = ends.length === 2;
      drawing.style.display = shown ? '' : 'none';
      said.hidden = !shown;
      if (!shown) return;
      lines.forEach(line => ends.forEach(([x, y], at) => {
        line.setAttribute(`x${at + 1}`, x);
        line.setAttribute(`y${at + 1}`, y);
      }));
      said.textContent = `${words(length(ends, micron))} on detector or film`;
      const [x, y] = geometry.toPane(view, room, ends[1]);
      // Beside the end, within the pane.
      said.style.left = `${Math.min(Math.max(0, x + 8), Math.max(0, room[0] - 170))}px`;
      said.style.top = `${Math.min(Math.max(24, y + 8), Math.max(24, room[1] - 52))}px`;
    }

    return {
      drawing,
      said,
      place,
      // Begins a length, or ends it.
      begin(at) {
        ends = [within(at), within(at)];
        open = true;
      },
      follow(at) { if (open) ends[1] = within(at); },
      finish() { open = false; },
      open: () => open,
      clear() {
        ends = [];
        open = false;
      },
      words: () => (ends.length ? words(length(ends, micron)) : '')
    };
  }

  unitAtlas.ruler = { length, words, ruler };
})();
