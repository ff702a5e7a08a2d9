// The viewer's bar: a button for everything that keys do. `act` has a function for each; `show(state)` presses what
// is on, and hides what there is nothing for.
(() => {
  'use strict';
  const { make } = unitAtlas.page;
  const TOOLS = [['window', 'Window', 'w', 'Drag for window and level'], ['pan', 'Pan', 'p', 'Drag to pan'],
    ['zoom', 'Zoom', 'z', 'Drag to zoom'], ['lens', 'Magnifier', 'm', 'Magnify what is pointed at'],
    ['ruler', 'Measure', 'd', 'Drag to measure a length, as it is on the detector or film']];
  const LAYERS = [['overlay', 'Region', 'o', 'What the unit saw, or the patch that decides'], ['lesions', 'Lesions', 'l', 'Outlines of lesions'],
    ['grid', 'Grid', 'g', 'The windows that patches were cut from'], ['heat', 'Heat', 'h', 'How strongly, by place']];

  function button(words, key, title, press, attributes = {}) {
    const node = make('button', { type: 'button', 'aria-keyshortcuts': key, title: `${title} (${key})`, ...attributes }, words);
    node.addEventListener('click', press);
    return node;
  }
  const group = (label, ...nodes) => make('div', { class: 'viewer-group', role: 'group', 'aria-label': label }, ...nodes);

  function bar(act) {
    const off = { 'aria-pressed': 'false' };
    const toggles = list => Object.fromEntries(list.map(([name, words, key, title]) =>
      [name, button(words, key, title, () => act.toggle(name), off)]));
    const tools = Object.fromEntries(TOOLS.map(([name, words, key, title]) =>
      [name, button(words, key, title, () => act.tool(name), off)]));
    const layers = toggles(LAYERS);
    const invert = button('Invert', 'i', 'Black for white', act.invert, off);
    const full = button('Full screen', 'f', 'All of the screen', act.full, off);
    const beside = button('Other views', 'b', 'The patient’s other views beside it', act.beside, off);
    const linked = button('Linked', 'k', 'Zoom, pan and window all views together', () => act.toggle('linked'), off);
    const pair = button('Pair', 'x', 'Only this view and the same of the other breast', act.pair, off);
    const [centre, width] = [['C', 'Window centre'], ['W', 'Window width']].map(([words, label], at) => {
      const field = make('input', { type: 'number', step: 'any', 'aria-label': label });
      // What is shown is what holds: a width of nothing is none.
      field.addEventListener('change', () => { field.value = act.typed(at, field.valueAsNumber); });
      return { field, label: make('label', {}, make('span', { 'aria-hidden': 'true' }, words), field) };
    });
    const presets = make('select', { 'aria-label': 'Windows of the source', title: 'Windows of the source (n: the next)' });
    presets.addEventListener('change', () => act.preset(Number(presets.value)));
    const views = make('select', { 'aria-label': 'View' });
    views.addEventListener('change', () => act.choose(Number(views.value)));
    const before = button('←', 'PageUp', 'Previous', () => act.step(-1));
    const after = button('→', 'PageDown', 'Next', () => act.step(1));
    const place = make('span', { class: 'viewer-place' });
    const close = button('Close', 'Escape', 'Close the viewer', act.close, { class: 'viewer-close' });
    const groups = {
      steps: group('Patches', before, place, after),
      tools: group('Tools', ...Object.values(tools)),
      look: group('Look', button('Fit', '0', 'All of it', act.fit), button('1:1', '1', 'A pixel of the screen for each of the picture', act.whole),
        button('−', '-', 'Smaller', () => act.zoom(-1), { 'aria-label': 'Smaller' }), button('+', '+', 'Larger', () => act.zoom(1), { 'aria-label': 'Larger' }),
        invert, button('Reset', 'r', 'Window, level and zoom as they were', act.reset), full),
      window: group('Window', centre.label, width.label, presets),
      shown: group('Shown over it', ...Object.values(layers)),
      views: group('Views', beside, pair, linked, views)
    };
    const element = make('div', { class: 'viewer-bar' }, ...Object.values(groups),
      button('?', '?', 'Keys', act.help, { 'aria-label': 'Keys', class: 'viewer-help' }), close);
    const press = (node, on) => node.setAttribute('aria-pressed', String(on));
    full.hidden = !document.fullscreenEnabled;

    // Centre and width as they are shown, unless someone is typing there.
    function setWindow(words, offered) {
      [centre, width].forEach(({ field }, at) => {
        if (field !== document.activeElement) field.value = words[at];
      });
      const titles = offered.map(({ title }) => title);
      presets.hidden = !titles.length;
      if (titles.join() !== Array.from(presets.options, one => one.textContent).slice(1).join()) {
        presets.replaceChildren(make('option', { value: '-1' }, 'Windows'), ...titles.map((title, at) => make('option', { value: String(at) }, title)));
      }
      presets.value = String(offered.findIndex(one => one.chosen));
    }

    // `state`: the settings, what there is to show (`has`), how many pictures there are (`others`), whether they lie side
    // by side (`beside`), their titles (`titles`) with the one that is `chosen`, whether that one is alone on the screen
    // (`narrow`), the window in `words` and those that can be chosen (`presets`), and the reel's `number` of `count` of a
    // `unit`.
    function show(state) {
      Object.entries(tools).forEach(([name, node]) => press(node, state.tool === name));
      Object.entries(layers).forEach(([name, node]) => {
        node.hidden = !state.has[name];
        press(node, state[name]);
      });
      tools.ruler.hidden = !state.measured;
      setWindow(state.words, state.presets);
      groups.shown.hidden = !Object.values(state.has).some(Boolean);
      press(invert, state.invert);
      press(full, Boolean(document.fullscreenElement));
      groups.views.hidden = state.others < 2;
      press(beside, state.beside);
      press(linked, state.linked);
      pair.hidden = !state.beside || state.others < 3 || state.narrow;
      press(pair, state.pair);
      linked.hidden = !state.beside;
      views.hidden = !state.beside || !state.narrow;
      views.replaceChildren(...state.titles.map((title, at) => make('option', { value: String(at) }, title)));
      views.value = String(state.chosen);
      groups.steps.hidden = state.count < 2;
      place.textContent = `${state.unit} ${state.number + 1} of ${state.count}`;
      before.disabled = state.number === 0;
      after.disabled = state.number === state.count - 1;
    }

    return { element, show, close };
  }

  unitAtlas.viewerBar = bar;
})();
