// The viewer: a dialog over the whole window with one picture or a patient's several side by side. It is loaded when
// it is first opened (viewer-open.js); its parts are viewer-*.js.
(() => {
  'use strict';
  const { make } = unitAtlas.page;
  const { geometry, greys, depth, viewerSettings } = unitAtlas;
  const { LAYERS } = unitAtlas.pane;
  const STEP = 1.25;
  // In a stage that is narrower, in CSS pixels, one picture is shown at a time.
  const NARROW = 640;
  // How much of the pane a patch takes that it begins with.
  const FOCUS = 0.6;

  const settings = viewerSettings.load();
  const desk = unitAtlas.desk(settings, changed);
  const stage = make('div', { class: 'viewer-stage' });
  const status = make('p', { class: 'visually-hidden', role: 'status' });
  const help = make('div', { class: 'viewer-keys', hidden: '' }, ...unitAtlas.viewer.keys.map(([keys, words]) =>
    make('p', {}, ...keys.flatMap((key, at) => (at ? [' '] : []).concat(make('kbd', {}, key))), ` ${words}`)));
  const title = make('h2', { class: 'visually-hidden', id: 'atlas-viewer-title' });
  // The scenes, the one that is open, and its number.
  let reel = null;
  let scene = null;
  let number = 0;
  // What had the focus before.
  let opener = null;

  const besideName = () => (reel.unit === 'patch' ? 'besidePatch' : 'besidePicture');
  const beside = () => settings[besideName()] && scene.pictures.length > 1;
  const narrow = () => desk.panes().length > 1 && stage.clientWidth < NARROW;
  const say = words => { status.textContent = words; };

  // Windows that the source of the active picture proposes.
  function presets() {
    const { greys: source } = desk.active().picture;
    const now = desk.active().window();
    const near = (a, b) => Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(b));
    return (source ? depth.presets(source) : []).map(({ title: words, window }) => ({
      title: words, window, chosen: near(now.centre, window.centre) && near(now.width, window.width)
    }));
  }

  const act = {
    tool(name) {
      if (name === 'ruler' && !desk.active().ruler) {
        say('How large a pixel is is not known here.');
        return;
      }
      settings.tool = name;
      desk.lensOff();
      changed();
    },
    toggle(name) {
      settings[name] = !settings[name];
      if (name === 'linked' && settings.linked) desk.link();
      changed();
    },
    invert: () => desk.setWindow({ ...desk.active().window(), invert: !desk.active().window().invert }),
    // A number for the centre (0) or the width (1), as it is shown; gives what it became.
    typed(at, value) {
      const pair = desk.active().shown();
      if (Number.isFinite(value)) pair[at] = value;
      desk.setWindow(desk.active().asked(pair));
      return desk.active().words()[at];
    },
    preset(at) {
      const chosen = presets()[at];
      if (chosen) desk.setWindow({ ...desk.active().window(), ...chosen.window });
    },
    // The next of them.
    cycle() {
      const all = presets();
      act.preset((all.findIndex(one => one.chosen) + 1) % Math.max(1, all.length));
      if (all.length) say(`Centre ${desk.active().words()[0]}, width ${desk.active().words()[1]}`);
    },
    reset() {
      desk.clearRulers();
      desk.setWindow(greys.PLAIN);
      desk.fit();
    },
    fit: desk.fit,
    whole: () => desk.zoomTo(1 / desk.active().ratio()),
    zoom: way => desk.zoomTo(desk.active().view().scale * STEP ** way),
    full() {
      if (document.fullscreenElement) document.exitFullscreen();
      else if (document.fullscreenEnabled) room.requestFullscreen().catch(() => say('The browser does not let it fill the screen.'));
    },
    beside() {
      if (scene.pictures.length < 2) return;
      settings[besideName()] = !settings[besideName()];
      build(scene.pictures.indexOf(desk.active().picture));
    },
    pair() {
      if (!beside() || scene.pictures.length < 3) return;
      settings.pair = !settings.pair;
      build(scene.pictures.indexOf(desk.active().picture));
    },
    choose(at) {
      desk.activate(desk.panes()[at]);
      arrange();
      desk.resized();
    },
    step(way) {
      const next = number + way;
      if (next >= 0 && next < reel.count) open(next);
    },
    // Sets an end of a length at the middle of the pane.
    mark() {
      const words = desk.mark();
      if (words) say(words);
    },
    help() { help.hidden = !help.hidden; },
    close: () => dialog.close(),
    // What lies on top goes first.
    escape() {
      if (help.hidden) dialog.close();
      else help.hidden = true;
    }
  };

  const bar = unitAtlas.viewerBar(act);
  const room = make('div', { class: 'viewer-room' }, title, bar.element, stage, help, status);
  const dialog = make('dialog', { class: 'viewer', 'aria-labelledby': 'atlas-viewer-title' }, room);
  document.body.append(dialog);

  function changed() {
    viewerSettings.keep(settings);
    // Nothing has arrived yet.
    if (!scene) return;
    LAYERS.forEach(name => desk.panes().forEach(pane => pane.setLayer(name, settings[name])));
    stage.dataset.tool = desk.tool();
    const panes = desk.panes();
    bar.show({
      ...settings,
      tool: desk.tool(),
      words: desk.active().words(),
      presets: presets(),
      measured: panes.some(pane => pane.ruler),
      has: Object.fromEntries(LAYERS.map(name => [name, panes.some(pane => pane.has(name))])),
      others: scene.pictures.length,
      beside: beside(),
      titles: panes.map(pane => pane.picture.title),
      chosen: panes.indexOf(desk.active()),
      narrow: narrow(),
      number,
      count: reel.count,
      unit: reel.unit === 'patch' ? 'Patch' : 'Picture'
    });
  }

  // Panes as large as the stage lets them be.
  function arrange() {
    const alone = narrow();
    const sizes = desk.panes().map(pane => pane.picture.size);
    stage.style.setProperty('--columns', alone ? 1 : geometry.columns(sizes, [stage.clientWidth, stage.clientHeight]));
    desk.panes().forEach(pane => { pane.element.hidden = alone && pane !== desk.active(); });
    changed();
  }

  // Whether a picture hangs beside that which is meant.
  function hangs(picture, at) {
    const { pictures } = scene;
    return !settings.pair || pictures.length < 3 || picture === pictures[at] || picture === pictures[geometry.partner(pictures, at)];
  }

  // Hangs the scene anew, one of its pictures the active one.
  function build(at) {
    const shown = beside() ? scene.pictures.filter(picture => hangs(picture, at)) : [scene.pictures[at]];
    desk.hang(stage, shown, shown.indexOf(scene.pictures[at]));
    arrange();
    desk.fit();
    if (scene.focus && at === scene.at) desk.setView(geometry.around(scene.focus, desk.active().room(), FOCUS));
    desk.active().element.focus({ preventScroll: true });
  }

  // Loads what the values of pictures mean, of those that have any. Where a browser cannot unpack them, or their meaning
  // is missing, the one picture is shown.
  function valued(pictures, then) {
    let left = 1;
    const arrived = () => {
      left -= 1;
      if (!left) then();
    };
    pictures.filter(({ tiles, greys: known }) => tiles && tiles.values && !known).forEach(picture => {
      left += 1;
      unitAtlas.load(`${picture.tiles.src}about.js`, about => {
        picture.greys = depth.able() ? depth.valid(about) : null;
        if (!picture.greys) picture.tiles = null;
        arrived();
      });
    });
    arrived();
  }

  function open(next) {
    number = next;
    const asked = reel;
    reel.scene(next, found => valued(found.pictures, () => {
      // The reader may have gone on, or away, while it was loaded.
      if (!dialog.open || number !== next || reel !== asked) return;
      scene = found;
      title.textContent = `Viewer: ${scene.pictures[scene.at].title}`;
      build(scene.at);
    }));
  }

  dialog.addEventListener('keydown', unitAtlas.viewerKeys(act, desk, say));
  dialog.addEventListener('close', () => {
    desk.clear();
    help.hidden = true;
    if (document.fullscreenElement) document.exitFullscreen();
    if (opener && opener.isConnected) opener.focus({ preventScroll: true });
  });
  document.addEventListener('fullscreenchange', () => { if (desk.active()) changed(); });
  new window.ResizeObserver(() => {
    if (!desk.active()) return;
    arrange();
    desk.resized();
  }).observe(stage);

  unitAtlas.viewer.show = (next, from) => {
    reel = next;
    opener = from;
    if (!dialog.open) dialog.showModal();
    open(reel.at);
  };
})();
