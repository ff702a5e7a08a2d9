// The panes that are shown together, and what happens to all of them where they are linked: zoom and pan, window and
// level. `changed()` hears of a change of the settings or of the active pane.
(() => {
  'use strict';
  const { geometry } = unitAtlas;
  // CSS pixels of a drag that double the picture.
  const DOUBLE = 150;

  function desk(settings, changed) {
    let panes = [];
    let active = null;
    // Whether all of each is shown, as it is of itself, and stays so in a window of another size.
    let whole = true;
    const magnifier = unitAtlas.lens();
    const others = () => panes.filter(pane => pane !== active);

    // Brings the others to what the active one shows.
    function follow() {
      if (!settings.linked) return;
      const { picture } = active;
      others().forEach(pane => {
        const turned = geometry.mirrored(picture, pane.picture);
        pane.show(geometry.beside(active.view(), picture.size, pane.picture.size, turned));
      });
    }

    function setView(view) {
      whole = false;
      active.show(view);
      if (active.ruler && active.element.classList.contains('marking')) {
        active.ruler.follow([active.view().x, active.view().y]);
        active.ruler.place(active.seen(), active.room());
      }
      follow();
    }

    function zoomTo(scale, at) {
      whole = false;
      active.zoomTo(scale, at);
      follow();
    }

    function setWindow(window) {
      (settings.linked ? panes : [active]).forEach(pane => pane.setWindow(window));
      Object.assign(settings, active.window());
      changed();
    }

    // All of each: at one scale where they are linked.
    function fit() {
      whole = true;
      if (!settings.linked) active.show(geometry.fit(active.picture.size, active.room()));
      else {
        const scale = geometry.common(panes.map(pane => pane.picture.size), active.room());
        const alone = panes.filter(pane => !pane.element.hidden).length < 2;
        panes.forEach(pane => pane.show(geometry.fitBeside(pane.picture.size, pane.room(), scale, alone ? '' : pane.picture.view)));
      }
    }

    // The room of the panes has changed: what was looked at stays in the middle.
    function resized() {
      panes.forEach(pane => pane.show(pane.view()));
      if (whole) fit();
    }

    function link() {
      others().forEach(pane => pane.setWindow(active.window()));
      follow();
    }

    function activate(pane) {
      if (active === pane) return;
      active = pane;
      panes.forEach(one => one.element.classList.toggle('active', one === pane && panes.length > 1));
      Object.assign(settings, pane.window());
      changed();
    }

    // What a drag does by the tool, or by the mouse's other buttons.
    const drags = {
      window: (dx, dy) => setWindow(active.dragged(dx, dy)),
      pan: (dx, dy) => setView(geometry.moved(active.view(), dx, dy)),
      zoom: (dx, dy, from) => zoomTo(active.view().scale * 2 ** (-dy / DOUBLE), from),
      lens: () => {},
      ruler(dx, dy, from, at) {
        const place = geometry.toPicture(active.seen(), active.room(), at);
        if (active.ruler.open()) active.ruler.follow(place);
        else active.ruler.begin(geometry.toPicture(active.seen(), active.room(), from));
        active.ruler.place(active.seen(), active.room());
      }
    };
    // The tool, as far as the picture is one for it.
    const tool = () => (settings.tool === 'ruler' && !(active && active.ruler) ? 'window' : settings.tool);

    function listen(pane) {
      let from = null;
      unitAtlas.gestures.listen(pane.element, {
        pressed() {
          from = null;
          pane.element.focus({ preventScroll: true });
          activate(pane);
        },
        dragged(button, dx, dy, at) {
          from = from || [at[0] - dx, at[1] - dy];
          drags[button === 'tool' ? tool() : button](dx, dy, from, at);
        },
        released() { if (pane.ruler) pane.ruler.finish(); },
        pinched(factor, at, dx, dy) {
          active.show(geometry.moved(active.view(), dx, dy));
          zoomTo(active.view().scale * factor, at);
        },
        wheeled(factor, at) {
          activate(pane);
          zoomTo(pane.view().scale * factor, at);
          if (settings.tool === 'lens') magnifier.at(pane, at);
        },
        twice: fit,
        hovers(at, type) {
          pane.point(at);
          if (settings.tool === 'lens' && at) magnifier.at(pane, at, type);
          else magnifier.off();
        }
      });
      pane.element.addEventListener('focus', () => activate(pane));
    }

    // Begins or ends a length at the middle of the active pane, and tells of it.
    function mark() {
      const { ruler } = active;
      if (tool() !== 'ruler') return '';
      const { x, y } = active.view();
      if (ruler.open()) {
        ruler.follow([x, y]);
        ruler.finish();
      } else ruler.begin([x, y]);
      active.element.classList.toggle('marking', ruler.open());
      ruler.place(active.seen(), active.room());
      return ruler.open() ? 'A length begins here; move the picture, and press Enter at its end.' : `${ruler.words()} on the detector or film`;
    }

    function clearRulers() {
      panes.filter(pane => pane.ruler).forEach(pane => {
        pane.ruler.clear();
        pane.element.classList.remove('marking');
        pane.ruler.place(pane.seen(), pane.room());
      });
    }

    function clear() {
      magnifier.off();
      panes.forEach(pane => pane.end());
      panes = [];
      active = null;
    }

    // Puts panes of these pictures into the stage, one of them the active one.
    function hang(stage, pictures, at) {
      clear();
      panes = pictures.map(picture => unitAtlas.pane.pane(picture));
      stage.replaceChildren(...panes.map(pane => pane.element));
      panes.forEach(pane => {
        listen(pane);
        pane.setWindow(settings);
      });
      activate(panes[at]);
    }

    return {
      panes: () => panes, active: () => active, setView, zoomTo, setWindow, fit, resized, link, activate, clear, hang, tool, mark, clearRulers, lensOff: magnifier.off
    };
  }

  unitAtlas.desk = desk;
})();
