//! What is done with what lies where a stage is to have its results.

use std::path::Path;

use anyhow::{Result, anyhow};

use super::Pipeline;
use base::artifact::{Damaged, Fingerprint, Sealed, Shelf, Stamp, State};

/// What a stage finds before it works.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Results of its inputs.
    Fresh,
    /// Nothing, or what it has begun with the same inputs.
    Nothing,
}

/// A stage as people speak of it.
pub(super) struct Stage<'a> {
    /// Its subject: `alexnet`, `alexnet/conv5`, `the data set`.
    pub(super) name: &'a str,
    /// Where its results lie.
    pub(super) folder: &'a Path,
    /// What they are to be made from.
    pub(super) stamp: &'a Stamp,
    /// What half finished results in the folder are made from, where there are any.
    pub(super) half: Option<Fingerprint>,
    /// Whether it is made again where it is damaged, since that loses nothing.
    pub(super) remade: bool,
}

impl Pipeline<'_> {
    /// Makes room for a stage, loses nothing, and says what changed: results of other inputs go to the shelf,
    /// and those of these inputs come from it.
    ///
    /// # Errors
    /// When results are damaged that would take a training to make again, or a folder cannot be moved.
    pub(super) fn settle(&self, stage: &Stage) -> Result<Found> {
        let Stage { name, folder, stamp, .. } = stage;
        let state = stamp.state(folder);
        if !matches!(state, State::Fresh) {
            self.writing(name)?;
        }
        let shelf = Shelf::new(&self.layout);
        let wanted = stamp.fingerprint();
        let put_away = match (state, &stage.half) {
            (State::Fresh, _) => return Ok(Found::Fresh),
            (State::Damaged(damaged), _) => {
                self.remake(stage, &damaged)?;
                None
            }
            (State::Stale(sealed), _) => {
                let changes = sealed.changes(stamp).join("; ");
                let told = format!("stale, for {changes}; what it was is kept");
                Some((sealed.stamp().fingerprint(), told))
            }
            (State::Unfinished, Some(half)) if *half == wanted => return Ok(Found::Nothing),
            (State::Unfinished, Some(half)) => {
                Some((half.clone(), "what was begun with other settings is kept".to_string()))
            }
            (State::Unfinished, None) => None,
        };
        if let Some((inputs, told)) = put_away {
            shelf.put(folder, &inputs)?;
            self.progress.say(&format!("{name}: {told} (`unit-atlas gc` lists it)"));
        }
        if !shelf.take(folder, &wanted)? {
            return Ok(Found::Nothing);
        }
        self.progress.say(&format!("{name}: what was made from these settings before is back"));
        match stamp.state(folder) {
            State::Fresh => Ok(Found::Fresh),
            State::Damaged(damaged) => self.remake(stage, &damaged).map(|()| Found::Nothing),
            State::Stale(_) | State::Unfinished => Ok(Found::Nothing),
        }
    }

    /// Leaves a damaged result to be made again, or refuses.
    fn remake(&self, stage: &Stage, damaged: &Damaged) -> Result<()> {
        if !stage.remade {
            return Err(self.refusal(damaged));
        }
        self.progress.say(&format!("{}: {damaged}; it is made again", stage.name));
        Stamp::clear(stage.folder)
    }

    /// Why a damaged training is not simply done again, and what to do.
    pub(super) fn refusal(&self, damaged: &Damaged) -> anyhow::Error {
        anyhow!("{damaged}; {}", self.remedy(damaged))
    }

    /// What an error says is damaged is left to be made again, if making it again loses nothing: then the
    /// verb that met it is to be tried again.
    ///
    /// # Errors
    /// The error, if nothing can be done about it, with advice where it is about damage.
    pub fn mend(&self, error: anyhow::Error) -> Result<()> {
        let damaged = error.chain().find_map(|cause| cause.downcast_ref::<Damaged>()).cloned();
        let Some(damaged) = damaged else { return Err(error) };
        let made_again = [
            self.layout.dataset(),
            self.layout.dissection(),
            self.layout.explanations(),
            self.layout.visualisations(),
            self.layout.namings(),
            self.layout.survey(),
        ];
        if !made_again.iter().any(|place| damaged.folder.starts_with(place)) {
            return Err(self.refusal(&damaged));
        }
        let _lock = self.lock()?;
        if Sealed::open(&damaged.folder).is_err() {
            // Its stamp is gone or damaged itself: there is no more to do.
            return Err(error);
        }
        self.progress.say(&format!("{damaged}; it is made again"));
        Stamp::clear(&damaged.folder)
    }
}
