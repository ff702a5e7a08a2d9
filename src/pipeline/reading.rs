//! The mammograms behind the codes of cases that readers score.

use anyhow::Result;

use super::Pipeline;
use record::Manifest;
use study::cases::Key;
use study::code::Coder;

impl Pipeline<'_> {
    /// The mammograms behind codes: of every network that is trained, so that scores outlast a change of the settings.
    ///
    /// # Errors
    /// When the data set is not prepared, or not what was written.
    pub fn case_key(&self) -> Result<Key> {
        let manifest = Manifest::read(&self.layout)?;
        let coder = Coder::new(self.config.seed, &self.config.survey.study);
        let networks = self.config.networks.iter();
        let folders = networks.map(|network| self.layout.network(&network.name));
        let weights = folders
            .filter(|folder| folder.is_dir())
            .map(|folder| Ok(record::training::read_evaluation(&folder)?.weights_blake3))
            .collect::<Result<Vec<String>>>()?;
        Ok(Key::new(&coder, &manifest, weights.iter().map(String::as_str)))
    }
}
