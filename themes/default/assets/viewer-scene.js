// What the viewer shows of a page: pictures with what is drawn over them. A picture has `title`, `alt`, `view` in
// words, `size` of the source (and `micron`, the edge of a pixel of it, where it is known), `src` with its size `pixels` (and
// `tiles`, where there are any; `greys` is added, what values in them mean), and `marks`: drawings
// in the source's pixels for each of `overlay`, `lesions`, `grid` and `heat`. A scene has `pictures`, which of them is
// meant (`at`), and the `focus`, a box that it begins with. A reel has scenes one after another: `count`, `at`,
// `unit` (what each is) and `scene(number, then)`.
(() => {
  'use strict';
  const { draw } = unitAtlas.page;
  const { geometry, tiles } = unitAtlas;
  // Pictures side by side at most.
  const MOST = 8;

  const usable = given => (tiles.valid(given) ? given : null);
  const frame = ({ x, y, edge }) => draw('rect', { class: 'window', x, y, width: edge, height: edge });

  function outlines(lesions) {
    return lesions.flatMap(({ pathology, paths }) => paths.map(d => draw('path', { class: `lesion ${pathology}`, d })));
  }

  // What a unit saw in a patch, from path data or a picture in pixels of the patch, at its place.
  function placed(node, { x, y, edge }, pixels) {
    node.setAttribute('transform', `translate(${x} ${y}) scale(${edge / pixels})`);
    return node;
  }
  const region = (d, place, pixels) => placed(draw('path', { class: 'region', d }), place, pixels);

  // A mammogram by its data (`Outlines` in src/atlas/pages/mammogram.rs).
  function ofData(data) {
    return {
      id: data.id, title: data.view ? `${data.id}, ${data.view}` : data.id, alt: data.alt, view: data.view,
      size: data.size, micron: data.micron, src: data.src, pixels: data.preview, tiles: usable(data.tiles), marks: { lesions: outlines(data.lesions) }
    };
  }

  // A picture of the page with its drawing.
  function ofFigure(box) {
    const img = box.querySelector('img');
    const drawing = box.querySelector('svg');
    const pixels = [Number(img.getAttribute('width')), Number(img.getAttribute('height'))];
    const size = drawing ? drawing.getAttribute('viewBox').split(' ').slice(2).map(Number) : pixels;
    const found = selector => (drawing ? Array.from(drawing.querySelectorAll(selector), node => node.cloneNode(true)) : []);
    const title = box.dataset.mammogram || img.alt;
    return {
      id: box.dataset.mammogram, title, alt: img.alt, view: '', size, pixels, tiles: null,
      // The page's own address of it, whatever that is: it is not asked for again.
      src: null, address: img.src,
      marks: {
        overlay: found('.window, .deciding'), lesions: found('.lesion'), grid: found('.cut, .grid-window'), heat: found('.chance, image')
      }
    };
  }

  // Gives `then` the pictures of the patient with this one among them, in the order in which they hang.
  function withOthers(picture, data, then) {
    const ids = (data.views || []).slice(0, MOST - 1);
    const found = [];
    let left = ids.length;
    const finish = () => {
      const hung = geometry.hung([picture, ...found]);
      then({ pictures: hung, at: hung.indexOf(picture) });
    };
    if (!left) finish();
    ids.forEach(id => unitAtlas.load(`mammograms/${id}/outlines.js`, other => {
      if (other && other.preview) found.push(ofData(other));
      left -= 1;
      if (!left) finish();
    }));
  }

  function figureScene(box, then) {
    const picture = ofFigure(box);
    const alone = () => then({ pictures: [picture], at: 0, focus: null });
    if (!picture.id) {
      alone();
      return;
    }
    unitAtlas.load(`mammograms/${picture.id}/outlines.js`, data => {
      if (!data) {
        alone();
        return;
      }
      Object.assign(picture, { tiles: usable(data.tiles), micron: data.micron, title: ofData(data).title, view: data.view });
      withOthers(picture, data, scene => then({ ...scene, focus: null }));
    });
  }

  // The edge of a patch in its own pixels, and what the unit saw: from its drawing on the page.
  function seen(patch) {
    const drawing = patch.querySelector('.picture svg');
    const path = drawing.querySelector('path').getAttribute('d');
    return { pixels: Number(drawing.getAttribute('viewBox').split(' ')[2]), d: path.slice(path.indexOf('Z') + 1) };
  }

  function heat(patch, place, pixels) {
    const href = unitAtlas.heat && unitAtlas.heat.picture(patch);
    return href ? [placed(draw('image', { href, width: pixels, height: pixels, preserveAspectRatio: 'none' }), place, pixels)] : [];
  }

  function patchScene(patch, then) {
    const { pixels, d } = seen(patch);
    const place = unitAtlas.patch.placeOf(patch.getAttribute('href'));
    const words = name => (patch.querySelector(name) || { textContent: '' }).textContent;
    const title = `Patch${words('.rank') && ` ${words('.rank')}`}: ${words('.truth')}, score ${words('.number')}`;
    const img = patch.querySelector('img');

    function alone() {
      const whole = { x: 0, y: 0, edge: pixels };
      const marks = { overlay: d ? [region(d, whole, pixels)] : [], heat: heat(patch, whole, pixels) };
      then({ pictures: [{ title, alt: img.alt, view: '', size: [pixels, pixels], pixels: [pixels, pixels], src: null, address: img.src, marks }], at: 0, focus: null });
    }

    if (!place) {
      alone();
      return;
    }
    unitAtlas.load(`mammograms/${place.mammogram}/outlines.js`, data => {
      if (!data || !data.preview) {
        alone();
        return;
      }
      const picture = ofData(data);
      picture.title = `${title}; ${picture.title}`;
      picture.marks.overlay = [frame(place), ...(d ? [region(d, place, pixels)] : [])];
      picture.marks.heat = heat(patch, place, pixels);
      const focus = { x: place.x, y: place.y, width: place.edge, height: place.edge };
      withOthers(picture, data, scene => then({ ...scene, focus }));
    });
  }

  const one = scene => ({ count: 1, at: 0, unit: 'picture', scene: (_, then) => scene(then) });

  unitAtlas.scene = {
    frame,
    region,
    usable,
    figure: box => one(then => figureScene(box, then)),
    patches: (patches, at) => ({ count: patches.length, at, unit: 'patch', scene: (number, then) => patchScene(patches[number], then) })
  };
})();
