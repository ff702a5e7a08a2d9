// The values of a source, of up to 16 bits, in the viewer. `greys` of a picture says what the codes of its tiles mean
// (`Greys` in src/atlas/script.rs); windows of the viewer count 256ths of the one that the source proposes first, so
// that they go from one picture to another, and are shown in the source's unit. Tiles are unpacked as
// src/atlas/depth.rs packs them; no pixel of a picture is read, which a page from a disk may not.
(() => {
  'use strict';
  const FUNCTIONS = ['linear', 'linear_exact', 'sigmoid', 'curve'];
  const number = value => typeof value === 'number' && Number.isFinite(value);
  // Whether this browser can unpack tiles.
  const able = () => typeof window.DecompressionStream === 'function';

  function bytes(text) {
    const packed = window.atob(text);
    const found = new Uint8Array(packed.length);
    for (let at = 0; at < packed.length; at += 1) found[at] = packed.charCodeAt(at);
    return found;
  }

  // What can be used of a picture's data; null otherwise.
  function valid(about) {
    const code = value => Number.isInteger(value) && value >= 0 && value < 65536;
    const sound = about && number(about.first) && number(about.step) && about.step !== 0 && code(about.greatest) &&
      (about.padding === undefined || code(about.padding)) && FUNCTIONS.includes(about.function) && Array.isArray(about.windows) &&
      about.windows.length > 0 && about.windows.every(pair => Array.isArray(pair) && pair.every(number) && pair[1] > 0);
    if (!sound || (about.function === 'curve') !== (typeof about.curve === 'string')) return null;
    return { ...about, curve: about.curve ? bytes(about.curve) : null, inverted: about.inverted === true };
  }

  // How far from each code of a tile its prediction by the neighbours was, given as bytes, makes the codes. It runs for
  // every pixel of a tile, so it makes nothing and calls nothing.
  function predicted(both, width) {
    const pixels = both.length / 2;
    const codes = new Uint16Array(pixels);
    for (let at = 0; at < pixels; at += 1) {
      const folded = both[at] | both[pixels + at] << 8;
      const off = folded >> 1 ^ -(folded & 1);
      let guess;
      if (at < width) guess = at ? codes[at - 1] : 0;
      else if (at % width === 0) guess = codes[at - width];
      else {
        const left = codes[at - 1];
        const up = codes[at - width];
        const corner = codes[at - width - 1];
        const least = left < up ? left : up;
        const most = left < up ? up : left;
        guess = left + up - corner;
        if (corner >= most) guess = least;
        else if (corner <= least) guess = most;
      }
      codes[at] = guess + off;
    }
    return codes;
  }

  // Unpacked bytes, by a stream of its own: through a blob they would take a detour by the browser's disk thread.
  async function inflated(packed) {
    const stream = new window.DecompressionStream('deflate-raw');
    const writer = stream.writable.getWriter();
    // What is wrong with them is told by the reader.
    Promise.all([writer.write(packed), writer.close()]).catch(() => {});
    const reader = stream.readable.getReader();
    const parts = [];
    for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
    const found = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((start, part) => {
      found.set(part, start);
      return start + part.length;
    }, 0);
    return found;
  }

  // The codes of a tile, row by row.
  const unpack = async (text, width) => predicted(await inflated(bytes(text)), width);

  // The same of a file of the site.
  function tile(path, [width, height]) {
    return new Promise((then, fail) => {
      unitAtlas.load(path, text => {
        if (typeof text !== 'string') {
          fail(new Error(path));
          return;
        }
        unpack(text, width).then(codes => {
          // The text has served.
          delete window.unitAtlasData[path];
          if (codes.length === width * height) then(codes);
          else fail(new Error(path));
        }, fail);
      });
    });
  }

  // From a window of the viewer to centre and width in the source's unit, and back.
  function stored(greys, { centre, width }) {
    const [middle, wide] = greys.windows[0];
    return [middle + (centre - 128) * wide / 256, width * wide / 256];
  }
  function levels(greys, [centre, width]) {
    const [middle, wide] = greys.windows[0];
    return { centre: 128 + (centre - middle) * 256 / wide, width: width * 256 / wide };
  }

  // The least and the greatest value.
  function ends(greys) {
    const last = greys.first + greys.step * greys.greatest;
    return [Math.min(greys.first, last), Math.max(greys.first, last)];
  }

  // How far windows of the viewer go: down to a single value, and well around all of them.
  function limits(greys) {
    const usual = unitAtlas.greys.LIMITS;
    const [middle, wide] = greys.windows[0];
    const [low, high] = ends(greys).map(value => (value - middle) * 256 / wide);
    return {
      least: Math.min(usual.least, Math.abs(greys.step) * 256 / wide),
      most: Math.max(usual.most, 4 * (high - low)),
      lowest: Math.min(usual.lowest, 128 + low - (high - low)),
      highest: Math.max(usual.highest, 128 + high + (high - low))
    };
  }

  // All values, as a window.
  function whole(greys) {
    const [least, most] = ends(greys);
    return greys.function === 'linear' ? [(least + most + 1) / 2, most - least + 1] : [(least + most) / 2, Math.max(most - least, Math.abs(greys.step))];
  }

  // Windows that can be chosen: those of the source, and all values.
  function presets(greys) {
    const own = greys.windows.map((window, at) => ({ title: greys.windows.length > 1 ? `Window ${at + 1}` : 'Window', window }));
    return [...own, { title: 'All values', window: whole(greys) }].map(({ title, window }) => ({
      title: `${title}: ${words(window[0])} / ${words(window[1])}`, window: levels(greys, window)
    }));
  }

  // Brightness from 0 to 1 (DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3; a curve is stretched with its window).
  const shapes = {
    linear: (value, centre, width) => (width <= 1 ? Number(value > centre - 0.5) : (value - (centre - 0.5)) / (width - 1) + 0.5),
    linear_exact: (value, centre, width) => (value - centre) / width + 0.5,
    sigmoid: (value, centre, width) => 1 / (1 + Math.exp(-4 * (value - centre) / width)),
    curve(value, centre, width, curve) {
      const share = Math.min(1, Math.max(0, (value - centre) / width + 0.5));
      return curve[Math.round(share * (curve.length - 1))] / 255;
    }
  };

  // The grey level of the screen for each code, under a window of the viewer.
  function table(greys, window) {
    const [centre, width] = stored(greys, window);
    const shape = shapes[greys.function];
    const turned = greys.inverted !== window.invert;
    const found = new Uint8ClampedArray(Math.max(greys.greatest, greys.padding || 0) + 1);
    for (let code = 0; code < found.length; code += 1) {
      const share = Math.min(1, Math.max(0, shape(greys.first + greys.step * code, centre, width, greys.curve)));
      found[code] = Math.round(255 * (turned ? 1 - share : share));
    }
    if (greys.padding !== undefined) found[greys.padding] = window.invert ? 255 : 0;
    return found;
  }

  // Codes as the pixels of a canvas.
  function paint(codes, shown, pixels) {
    const colours = new Uint32Array(shown.length);
    shown.forEach((level, code) => { colours[code] = (0xff000000 | level * 0x010101) >>> 0; });
    const words32 = new Uint32Array(pixels.buffer, pixels.byteOffset, codes.length);
    for (let at = 0; at < codes.length; at += 1) words32[at] = colours[codes[at]];
  }

  // A value in words: as it is where that is short, or else of three digits at least.
  function words(value) {
    const short = Math.round(10 * value) / 10;
    if (Math.abs(value - short) < 1e-6) return String(short);
    return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
  }

  unitAtlas.depth = { able, valid, unpack, tile, stored, levels, limits, presets, table, paint, words };
})();
