// What the pages do besides being read. Each part looks for its own elements and does nothing without them.
(() => {
  'use strict';
  const root = document.documentElement;
  const { element, taken, copy } = unitAtlas.page;

  // Light and dark.
  function themes() {
    const button = element('atlas-theme');
    if (!button) return;
    const light = window.matchMedia('(prefers-color-scheme: light)');
    const current = () => root.getAttribute('data-theme') || (light.matches ? 'light' : 'dark');
    const show = () => {
      const other = current() === 'light' ? 'dark' : 'light';
      button.textContent = other === 'dark' ? 'Dark' : 'Light';
      button.setAttribute('aria-label', `Switch to the ${other} look`);
    };
    button.addEventListener('click', () => {
      const next = current() === 'light' ? 'dark' : 'light';
      root.setAttribute('data-theme', next);
      unitAtlas.kept.set('unit-atlas-theme', next);
      show();
    });
    light.addEventListener('change', show);
    show();
  }

  // Menus: Escape or a press elsewhere closes an open one. Those within a phone's menu go with it.
  function menus() {
    const opened = () => document.querySelector(':is(.menu, .viewing, .nav-menu:not(:popover-open *))[open]');
    document.addEventListener('keydown', event => {
      const menu = opened();
      if (event.key !== 'Escape' || !menu) return;
      event.preventDefault();
      menu.open = false;
      menu.querySelector('summary').focus();
    });
    document.addEventListener('pointerdown', event => {
      const menu = opened();
      if (menu && !menu.contains(event.target)) menu.open = false;
    });
  }

  // Looks of the overlay.
  function looks() {
    // Only a unit's page has the maps that heat needs; elsewhere their outlines are shown.
    if (root.getAttribute('data-look') === 'heat' && !document.querySelector('.looks [value=heat]')) {
      root.setAttribute('data-look', 'outline');
    }
    const radios = Array.from(document.querySelectorAll('.looks input'));
    const mark = () => radios.forEach(radio => { radio.checked = radio.value === root.getAttribute('data-look'); });
    mark();
    // A link to another look of this page.
    window.addEventListener('hashchange', () => {
      const look = unitAtlas.asked.get('look');
      if (!radios.some(radio => radio.value === look)) return;
      root.setAttribute('data-look', look);
      mark();
    });
    radios.forEach(radio => {
      radio.addEventListener('change', () => {
        if (!radio.checked) return;
        root.setAttribute('data-look', radio.value);
        unitAtlas.kept.set('unit-atlas-look', radio.value);
        if (element('atlas-copy-link')) unitAtlas.asked.set('look', radio.value);
      });
    });
  }

  // Left and right arrows: the neighbouring units.
  function neighbours() {
    document.addEventListener('keydown', event => {
      if (taken(event)) return;
      const rel = { ArrowLeft: 'prev', ArrowRight: 'next' }[event.key];
      const link = rel && document.querySelector(`.pager a[rel="${rel}"]`);
      if (!link) return;
      event.preventDefault();
      link.click();
    });
  }

  // How patches are viewed: their size, brightness and contrast.
  function viewing() {
    const box = document.querySelector('.viewing-body');
    if (!box) return;
    const fields = Array.from(box.querySelectorAll('input'));
    const value = field => (field.type === 'checkbox' ? Number(field.checked) : Number(field.value));
    const usual = field => (field.type === 'checkbox' ? 0 : Number(field.defaultValue));
    const reset = field => {
      field.value = field.defaultValue;
      field.checked = false;
    };
    let chosen = {};
    try { chosen = JSON.parse(unitAtlas.kept.get('unit-atlas-viewing')) || {}; } catch { /* not ours */ }

    function apply() {
      fields.forEach(field => root.style.setProperty(`--${field.name}`, value(field)));
      const plain = fields.every(field => field.name === 'zoom' || value(field) === usual(field));
      root.toggleAttribute('data-viewing', !plain);
    }

    function choose() {
      // A link that shows patches in some size shows them so to whoever follows it.
      const zoom = Number(unitAtlas.asked.get('zoom'));
      if (zoom > 0 && Number.isFinite(zoom)) chosen.zoom = zoom;
      fields.forEach(field => {
        if (typeof chosen[field.name] !== 'number') return;
        if (field.type === 'checkbox') field.checked = chosen[field.name] === 1;
        else field.value = chosen[field.name];
      });
      apply();
    }
    window.addEventListener('hashchange', choose);
    box.addEventListener('input', () => {
      fields.forEach(field => { chosen[field.name] = value(field); });
      unitAtlas.kept.set('unit-atlas-viewing', JSON.stringify(chosen));
      unitAtlas.asked.set('zoom', chosen.zoom === 1 ? null : chosen.zoom);
      apply();
    });
    box.querySelector('button').addEventListener('click', () => {
      fields.forEach(reset);
      chosen = {};
      unitAtlas.kept.set('unit-atlas-viewing', '{}');
      unitAtlas.asked.set('zoom', null);
      apply();
    });
    choose();
  }

  // A table that is wider than its place is scrolled by keyboard too.
  function wideTables() {
    const tables = document.querySelectorAll('.table');
    const reach = () => tables.forEach(table => {
      if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
      else table.removeAttribute('tabindex');
    });
    window.addEventListener('resize', reach);
    reach();
  }

  // Buttons that copy a text of the page, or the address with what is looked at.
  function copying() {
    document.querySelectorAll('[data-copy]').forEach(button => {
      button.addEventListener('click', () => {
        const text = element(button.getAttribute('data-copy'));
        copy(text.textContent, done => {
          if (!done) getSelection().selectAllChildren(text);
          button.textContent = done ? 'Copied' : 'Selected: copy it';
        });
      });
    });
    const link = element('atlas-copy-link');
    if (link) {
      link.addEventListener('click', () => copy(location.href, done => {
        link.textContent = done ? 'Copied' : 'Copy it from the address bar';
      }));
    }
  }

  [themes, menus, looks, neighbours, viewing, wideTables, copying].forEach(part => part());
})();
