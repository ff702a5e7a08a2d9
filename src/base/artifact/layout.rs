//! Where a project's artifacts lie.

use std::path::PathBuf;

/// Where a project's artifacts lie, below its output folder.
#[derive(Debug, Clone)]
pub struct Layout {
    output: PathBuf,
}

impl Layout {
    /// For the given output folder.
    pub fn new(output: impl Into<PathBuf>) -> Self {
        Self { output: output.into() }
    }

    /// `work/dataset/`: manifest, patches, previews.
    pub fn dataset(&self) -> PathBuf {
        self.output.join("work/dataset")
    }

    /// `work/dataset/patches.bin`: pixels of every patch.
    pub fn patches(&self) -> PathBuf {
        self.dataset().join("patches.bin")
    }

    /// `work/dataset/previews/<id>.jpg`: a mammogram, reduced.
    pub fn preview(&self, mammogram: &str) -> PathBuf {
        self.dataset().join("previews").join(format!("{mammogram}.jpg"))
    }

    /// `work/`: everything but the site and the figures.
    pub fn work(&self) -> PathBuf {
        self.output.join("work")
    }

    /// `work/shelf/`: finished results of other settings, by the folder they were in and their stamp.
    pub fn shelf(&self) -> PathBuf {
        self.work().join("shelf")
    }

    /// `work/networks/`: trained networks by name.
    pub fn networks(&self) -> PathBuf {
        self.output.join("work/networks")
    }

    /// `work/networks/<network>/`: weights, history, evaluation.
    pub fn network(&self, network: &str) -> PathBuf {
        self.networks().join(network)
    }

    /// `work/dissection/<network>/<layer>/`: units and their top patches.
    pub fn layer(&self, network: &str, layer: &str) -> PathBuf {
        self.output.join("work/dissection").join(network).join(layer)
    }

    /// `work/dissection/`: the layers by network, and what is similar among all units.
    pub fn dissection(&self) -> PathBuf {
        self.output.join("work/dissection")
    }

    /// `work/explanation/`: explanations by network.
    pub fn explanations(&self) -> PathBuf {
        self.output.join("work/explanation")
    }

    /// `work/explanation/<network>/`: why mammograms have their scores.
    pub fn explanation(&self, network: &str) -> PathBuf {
        self.explanations().join(network)
    }

    /// `work/visualisation/`: synthetic images by network and layer.
    pub fn visualisations(&self) -> PathBuf {
        self.output.join("work/visualisation")
    }

    /// `work/visualisation/<network>/<layer>/`: synthetic images of the layer's units.
    pub fn visualisation(&self, network: &str, layer: &str) -> PathBuf {
        self.visualisations().join(network).join(layer)
    }

    /// `work/naming/`: what a machine calls units, by network and layer, and its view of the patches.
    pub fn namings(&self) -> PathBuf {
        self.output.join("work/naming")
    }

    /// `work/naming/units/<network>/<layer>/`: what it calls the layer's units.
    pub fn naming(&self, network: &str, layer: &str) -> PathBuf {
        self.namings().join("units").join(network).join(layer)
    }

    /// `work/naming/patches/`: the patches as it sees them.
    pub fn embeddings(&self) -> PathBuf {
        self.namings().join("patches")
    }

    /// `work/rates/<network>/`: its rate range test.
    pub fn rates(&self, network: &str) -> PathBuf {
        self.output.join("work/rates").join(network)
    }

    /// `work/survey/`: the units that readers are asked about.
    pub fn survey(&self) -> PathBuf {
        self.output.join("work/survey")
    }

    /// `work/recordings.json`: digests of the files of recorded networks, wherever they lie.
    pub fn recordings(&self) -> PathBuf {
        self.output.join("work/recordings.json")
    }

    /// `work/site.json`: what the built site was made from, and every file of it.
    pub fn site_record(&self) -> PathBuf {
        self.output.join("work/site.json")
    }

    /// `work/figures.json`: what the listed figures were made from, and every file of them.
    pub fn figures_record(&self) -> PathBuf {
        self.output.join("work/figures.json")
    }

    /// `work/drawn.json`: what each figure was drawn from.
    pub fn drawn(&self) -> PathBuf {
        self.output.join("work/drawn.json")
    }

    /// `figures/`: figures for papers.
    pub fn figures(&self) -> PathBuf {
        self.output.join("figures")
    }

    /// `site/`: the atlas.
    pub fn site(&self) -> PathBuf {
        self.output.join("site")
    }
}
