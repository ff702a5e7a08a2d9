// Fills the unit's citation in from the address, `#unit=vgg16/conv5_3/0063`.
(() => {
  'use strict';
  const unit = document.getElementById('atlas-cite-unit');
  if (!unit) return;
  const blank = unit.textContent;

  function fill() {
    const name = decodeURIComponent(location.hash.replace('#unit=', ''));
    if (!/^[\w.-]+\/[\w.-]+\/\d{4,}$/.test(name)) return;
    const page = location.href.replace(/[?#].*$/, '').replace(/cite\/index\.html$/, `networks/${name}/index.html`);
    unit.textContent = blank.replace('{unit,', `{unit-${name.replace(/\//g, '-')},`)
      // Within a title an underscore is a command; within an address it is itself.
      .replace('unit UNIT', `unit ${name.replace(/_/g, '\\_')}`)
      .replace('/networks/UNIT/', `/networks/${name}/`)
      .replace('ADDRESS', /^https?:/.test(page) ? page : 'ADDRESS');
    document.getElementById('unit').scrollIntoView();
  }

  window.addEventListener('hashchange', fill);
  fill();
})();
