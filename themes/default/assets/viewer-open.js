// The ways into the viewer: a click on a picture or its button, Enter or a double click on a patch, the key `v`, the
// commands of the search. The viewer itself is loaded the first time.
(() => {
  'use strict';
  const { make, taken } = unitAtlas.page;
  const PARTS = ['geometry', 'greys', 'depth', 'tiles', 'gestures', 'film', 'ruler', 'pane', 'scene', 'settings', 'lens', 'desk', 'bar', 'keys'];
  const FILES = ['vendor/openseadragon.min', ...PARTS.map(name => `viewer-${name}`), 'viewer'];
  const KEYS = [
    [['w', 'p', 'z', 'm', 'd'], 'the tool: window and level, pan, zoom, magnifier, measure'],
    [['0', '1'], 'fit; a pixel of the screen for each of the picture'],
    [['+', '-'], 'larger, smaller (the wheel too)'],
    [['←', '↑', '→', '↓'], 'pan; with Shift, window and level'],
    [['Enter'], 'while measuring, an end of the length at the middle'],
    [['n'], 'the next window that the source proposes'],
    [['i', 'r', 'f'], 'invert, reset, full screen'],
    [['o', 'l', 'g', 'h'], 'region, lesions, grid, heat'],
    [['b', 'x', 'k'], 'the patient’s other views; only the pair of both breasts; linked or not'],
    [['PageUp', 'PageDown'], 'previous, next patch']
  ];
  // What waits for it to be loaded; null once it is there.
  let waiting = [];
  let begun = false;

  function failed() {
    begun = false;
    waiting = [];
    document.querySelectorAll('[data-viewer-part]').forEach(node => node.remove());
    const words = 'The viewer could not be loaded. Is the whole folder of the atlas there?';
    document.body.append(make('p', { class: 'warning', role: 'alert', 'data-viewer-part': '' }, words));
  }

  function load() {
    begun = true;
    const style = make('link', { rel: 'stylesheet', href: unitAtlas.address('assets/viewer.css') });
    let left = FILES.length + 1;
    const arrived = () => {
      left -= 1;
      if (left) return;
      const list = waiting;
      waiting = null;
      list.forEach(next => next());
    };
    const scripts = FILES.map(name => {
      const script = make('script', { src: unitAtlas.address(`assets/${name}.js`) });
      // In their order.
      script.async = false;
      return script;
    });
    document.querySelectorAll('[data-viewer-part]').forEach(node => node.remove());
    [style, ...scripts].forEach(node => {
      node.setAttribute('data-viewer-part', '');
      node.onload = arrived;
      node.onerror = failed;
    });
    document.head.append(style, ...scripts);
  }

  // Shows what `reel` gives, once the viewer is there; the focus goes back to `from`.
  function open(reel, from = document.activeElement) {
    const next = () => unitAtlas.viewer.show(reel(unitAtlas.scene), from);
    // Loaded before, or part of the file.
    if (!waiting || (!begun && unitAtlas.viewer.show && window.OpenSeadragon)) {
      next();
      return;
    }
    waiting.push(next);
    if (!begun) load();
  }

  const figure = box => open(scene => scene.figure(box));

  function patch(of) {
    // The list that it is in, in its order.
    const list = Array.from(of.closest('ol').querySelectorAll('.patch'));
    open(scene => scene.patches(list, list.indexOf(of)), of);
  }

  const shownPatch = () => document.querySelector('.patch.kept, .patch.shown');
  const within = (event, selector) => (event.target.closest ? event.target.closest(selector) : null);
  const figures = () => Array.from(document.querySelectorAll('main .context-image'))
    .filter(box => !box.closest('a, .glance') && box.getClientRects().length);

  // What the page has to show: the patch that is looked at, or the first of its pictures.
  function offered() {
    const looked = shownPatch();
    if (looked) return () => patch(looked);
    const [first] = figures();
    return first ? () => figure(first) : null;
  }

  function ofPicture(box) {
    const looked = box.closest('.context') && shownPatch();
    if (looked) patch(looked);
    else figure(box);
  }

  document.addEventListener('click', event => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const button = within(event, '[data-viewer]');
    const box = button ? button.closest('figure').querySelector('.context-image') : within(event, '.context-image');
    // A link within the picture, or around it, leads on.
    if (!box || box.closest('a, .glance') || (!button && within(event, 'a'))) return;
    ofPicture(box);
  });
  document.addEventListener('dblclick', event => {
    const of = within(event, '.patches-body .patch');
    if (of) patch(of);
  });
  document.addEventListener('keydown', event => {
    if (taken(event) || document.querySelector('dialog[open]')) return;
    const of = event.key === 'Enter' && within(event, '.patches-body .patch');
    const act = of ? () => patch(of) : event.key === 'v' && offered();
    if (!act) return;
    event.preventDefault();
    act();
  });

  unitAtlas.viewer = { open, keys: KEYS };
  if (unitAtlas.commands) {
    unitAtlas.commands.add(() => {
      const act = offered();
      return act ? [{ title: 'Open in the viewer', more: 'zoom window level magnify full screen', run: act }] : [];
    });
  }
  if (unitAtlas.keys) {
    const here = () => Boolean(offered());
    unitAtlas.keys.add(['v', 'Enter'], 'the viewer, for the picture or the patch that is looked at', here);
    KEYS.forEach(([keys, words]) => unitAtlas.keys.add(keys, `in the viewer: ${words}`, here));
  }
})();
