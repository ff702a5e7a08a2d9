// What a reader is told of a unit that is there to practise on, after an answer to it.
(() => {
  'use strict';
  const BY = {
    consensus: 'The authors of the study call this',
    readers: 'Other readers call this',
    outlines: 'Of all that is outlined in these mammograms, the highlighted places fit this best'
  };

  // In words. `known` is what the study knows, `answer` what the reader said, complete.
  function feedback(study, known, answer) {
    const chosen = unitAtlas.survey.answers.described(answer);
    const same = chosen.flatMap(one => one.terms).filter(id => known.terms.includes(id));
    const said = same.length ? 'You named it too.'
      : answer.recognizable === 'no' ? 'To you nothing was recognisable. In the study, what you see is what counts.'
        : 'You saw something else. In the study, what you see is what counts.';
    return `${BY[known.by]}: ${known.words}. ${said}`;
  }

  unitAtlas.survey.feedback = feedback;
})();
