// What fingers, mouse and wheel do in a pane of the viewer: one pointer drags, two pinch, the wheel zooms. `does` hears
// of it in CSS pixels of the pane: `pressed()`, `dragged(button, dx, dy, at)`, `released()`, `pinched(factor, at, dx, dy)`,
// `wheeled(factor, at)`, `twice(at)` and `hovers(at, type)`, null where the pointer has left.
(() => {
  'use strict';
  const BUTTONS = ['tool', 'pan', 'zoom'];
  // A notch of a wheel is some hundred pixels, a fifth larger or smaller; a pinch on a touchpad comes as a wheel too.
  const NOTCH = 0.0018;
  const TOUCHPAD = 0.01;
  const LINE = 33;
  const FASTEST = 240;

  function wheel({ deltaY, deltaMode, ctrlKey }) {
    const pixels = deltaMode === 0 ? deltaY : deltaY * LINE;
    const bounded = Math.max(-FASTEST, Math.min(FASTEST, pixels));
    return Math.exp(-bounded * (ctrlKey ? TOUCHPAD : NOTCH));
  }

  const middle = ([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const apart = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);

  // How two fingers moved: by what factor, around where, and how far together.
  function pinch(before, after) {
    const [from, to] = [middle(before), middle(after)];
    return { factor: apart(after) / Math.max(1, apart(before)), at: to, dx: to[0] - from[0], dy: to[1] - from[1] };
  }

  function listen(element, does) {
    // The pointers that are down, by their number, in the order in which they came.
    const down = new Map();
    let button = 'tool';

    function at(event) {
      const box = element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }
    const first = () => Array.from(down.values()).slice(0, 2);

    element.addEventListener('pointerdown', event => {
      // No text is chosen and no page is scrolled by the middle button; the focus is given by hand.
      event.preventDefault();
      if (!down.size) button = BUTTONS[event.button] || 'tool';
      down.set(event.pointerId, at(event));
      element.setPointerCapture(event.pointerId);
      does.pressed();
    });
    element.addEventListener('pointermove', event => {
      const to = at(event);
      does.hovers(to, event.pointerType);
      if (!down.has(event.pointerId)) return;
      const before = first();
      const [x, y] = down.get(event.pointerId);
      down.set(event.pointerId, to);
      if (down.size === 1) does.dragged(button, to[0] - x, to[1] - y, to);
      else {
        const { factor, at: centre, dx, dy } = pinch(before, first());
        does.pinched(factor, centre, dx, dy);
      }
    });
    ['pointerup', 'pointercancel', 'lostpointercapture'].forEach(name => {
      element.addEventListener(name, event => {
        down.delete(event.pointerId);
        if (!down.size) does.released();
      });
    });
    element.addEventListener('pointerleave', () => does.hovers(null));
    element.addEventListener('wheel', event => {
      event.preventDefault();
      does.wheeled(wheel(event), at(event));
    }, { passive: false });
    element.addEventListener('dblclick', event => does.twice(at(event)));
    element.addEventListener('contextmenu', event => event.preventDefault());
  }

  unitAtlas.gestures = { wheel, pinch, listen };
})();
