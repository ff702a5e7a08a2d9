// What a reader agrees to and says of themselves before the first unit, as far as the study asks: its rules, and
// the view. In files it is `about` (src/study/about.rs).
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const { answers } = unitAtlas.survey;
  const NUMBERS = { years: 80, mammograms_per_year: 100000 };
  const SUBSPECIALTIES = ['breast_imaging', 'general_radiology', 'in_training', 'other'];
  const KEYS = ['given_at', 'consent', 'subspecialty', ...Object.keys(NUMBERS)];

  const asks = study => Boolean(study.consent) || study.background.length > 0;

  // Whether a reader who has said this so far is to be asked: also where the text to agree to is another by now.
  function lacks(study, about) {
    return asks(study) && (!about || Boolean(study.consent && study.consent !== about.consent));
  }

  function check(holds, words) {
    if (!holds) throw new Error(`The file’s “about” ${words}.`);
  }

  // Reads what a file says. Throws an Error that says what is wrong.
  function read(value) {
    check(value && typeof value === 'object' && !Array.isArray(value), 'is no mapping');
    check(Object.keys(value).every(key => KEYS.includes(key)), 'says something unknown');
    check(typeof value.given_at === 'string' && answers.time(value.given_at) !== null, 'does not say when');
    check(value.consent === undefined || /^[0-9a-f]{32}$/.test(value.consent), 'has no digest of a text');
    check(value.subspecialty === undefined || SUBSPECIALTIES.includes(value.subspecialty), 'has an unknown subspecialty');
    Object.entries(NUMBERS).forEach(([key, most]) => {
      const number = value[key];
      check(number === undefined || (Number.isInteger(number) && number >= 0 && number <= most), `has no number in ${key}`);
    });
    return { ...value };
  }

  // Takes over what was said later. Returns whether that changed the record.
  function merge(record, about) {
    const later = about && (!record.about || answers.time(about.given_at) > answers.time(record.about.given_at));
    if (later) record.about = about;
    return Boolean(later);
  }

  function view(desk) {
    const { study, records } = desk;
    const fields = study.background.map(key => [key, element(`survey-about-${key}`)]);
    const agree = element('survey-agree');

    function show() {
      desk.show('about', 'Before you begin');
      const { about } = records.open(desk.reader);
      fields.forEach(([key, field]) => { field.value = about && about[key] !== undefined ? about[key] : ''; });
      if (agree) agree.checked = Boolean(about) && about.consent === study.consent;
    }

    element('survey-about-form').addEventListener('submit', event => {
      event.preventDefault();
      const said = fields.map(([key, field]) => [key, NUMBERS[key] ? field.valueAsNumber : field.value])
        .filter(([, value]) => value !== '' && !Number.isNaN(value));
      desk.change(record => {
        record.about = {
          given_at: new Date().toISOString(), ...(study.consent && { consent: study.consent }), ...Object.fromEntries(said)
        };
        desk.sending.markAbout(record);
      });
      desk.sending.soon(0);
      desk.go(desk.first());
    });

    return { show, lacks: () => lacks(study, records.open(desk.reader).about) };
  }

  unitAtlas.survey.about = { asks, lacks, read, merge, view };
})();
