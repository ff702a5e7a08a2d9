// The survey's last view: thanks, and what is kept where.
(() => {
  'use strict';
  const { element, make, counted } = unitAtlas.page;
  const { answers, file, minutes } = unitAtlas.survey;

  // Where things are, a sentence each. `left`: answers on their way to a server, null without one.
  function places({ record, file: name, contact, left, kept }) {
    const about = record.about ? ' and what you said of yourself' : '';
    const saved = record.saved
      ? `In the file ${name}, saved on ${new Date(record.saved).toLocaleString()}, usually in the folder of ` +
        `downloads: your pseudonym, your answers with their times${about}, and nothing else.` +
        `${record.changed > record.saved ? ' Answers have changed since: save it again.' : ''}` +
        `${left === null ? ` Send it to ${contact || 'the authors of the study'}, if you have not yet.` : ''}`
      : null;
    const server = left === null ? null
      : left ? `On the server of the study, but for ${counted(left, 'answer that is', 'answers that are')} on the way: leave this page open.`
        : `On the server of the study: your answers with their times${about}.`;
    return [
      server, saved,
      kept ? 'In this browser, on this computer, until you remove them.' : null,
      left === null ? 'Nowhere else: this page has sent nothing to anyone.' : null
    ].filter(Boolean);
  }

  function thanks(desk) {
    const { study, records, sending } = desk;

    function show() {
      desk.show('thanks', 'Thank you');
      tell();
    }

    function tell() {
      const record = records.open(desk.reader);
      const given = desk.slots.map(slot => record.answers[slot]).filter(one => !answers.lacking(one));
      const seconds = given.reduce((sum, one) => sum + (one.seconds || 0), 0);
      element('survey-thanks-words').textContent =
        `You have answered ${given.length} of ${counted(desk.slots.length, 'unit', 'units')}` +
        `${seconds >= 60 ? `, in about ${minutes(seconds)} of reading` : ''}.`;
      const left = sending.collector ? sending.left(record).length : null;
      const name = file.name(study, record.reader, new Date(record.saved || 0));
      const all = places({ record, file: name, contact: study.contact, left, kept: records.kept });
      element('survey-thanks-places').replaceChildren(...all.map(words => make('li', {}, words)));
    }

    element('survey-remove').addEventListener('click', () => {
      const sure = window.confirm(`Remove the answers of ${desk.reader} from this computer? ${sending.collector
        ? 'The server keeps them.' : 'Only the saved file would bring them back.'}`);
      if (!sure) return;
      records.forget(desk.reader);
      desk.leave();
    });

    return { show, tell, isOpen: () => !element('survey-thanks').hidden };
  }

  Object.assign(unitAtlas.survey, { places, thanks });
})();
