//! What can be told of a project before hours of work: mistakes that would otherwise show at their end.

use anyhow::{Context, Result, bail, ensure};

use super::{Dataset, Pipeline};
use base::yaml;
use config::{Origin, Select, Start};

impl Pipeline<'_> {
    /// Checks what the project's files alone decide of all stages to come.
    ///
    /// # Errors
    /// Names the first mistake: weights that are not there, a lexicon, a unit or a theme that is unknown, a page
    /// that cannot be read, a device that this machine does not have.
    pub fn foresee(&self) -> Result<()> {
        let config = self.config;
        for network in &config.networks {
            match &network.origin {
                Origin::Run(run) if let Start::File(path) = &run.weights => {
                    std::fs::metadata(path).with_context(|| {
                        format!("{}: the weights {} cannot be read", network.name, path.display())
                    })?;
                }
                Origin::Run(_) => {}
                Origin::Recorded(recorded) => {
                    self.taken(recorded).with_context(|| network.name.clone())?;
                }
            }
        }
        let lexicons = self.lexicons()?;
        let known: Vec<&str> = lexicons.iter().map(|lexicon| lexicon.id.as_str()).collect();
        let lexicon = config.survey.lexicon.as_str();
        ensure!(
            known.contains(&lexicon),
            "survey.lexicon: {}",
            yaml::unknown("lexicon", lexicon, &known)
        );
        self.foresee_terms(&lexicons)?;
        self.foresee_machine()?;
        if let Select::Listed(units) = &config.survey.select {
            for unit in units {
                let network = config.networks.iter().find(|network| network.name == unit.network());
                if !network.is_some_and(|n| n.layers.iter().any(|layer| layer == unit.layer())) {
                    bail!("survey.select names {unit}, but the layer is not dissected");
                }
            }
        }
        for font in config.figures.iter().filter_map(|wanted| wanted.look.font.as_deref()) {
            base::input::open(font)
                .with_context(|| format!("the font {} cannot be read", font.display()))?;
        }
        atlas::foresee(config)?;
        let run = config.networks.iter().filter(|network| network.run().is_some());
        if !self.untrained(run).is_empty() {
            self.device()?;
        }
        Ok(())
    }

    /// The same of what only the data set decides: mammograms that are to be cases.
    ///
    /// # Errors
    /// Names the first that it does not have.
    pub fn foresee_cases(&self, dataset: &Dataset) -> Result<()> {
        let known = |id: &String| {
            dataset.manifest.mammograms.iter().any(|member| member.mammogram.id == *id)
        };
        if let Some(id) = self.config.cases.list.iter().find(|id| !known(id)) {
            bail!("`cases.list` in atlas.yaml names {id}, which is no mammogram of the data set");
        }
        Ok(())
    }
}
