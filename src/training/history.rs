//! `history.jsonl`: an [`Epoch`] per line.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use base::artifact::{self, Fingerprint};
use record::training::{Epoch, HISTORY};

/// The epochs so far, as their file has them: read back and written again, a number could lose its
/// last digit.
#[derive(Debug, Default)]
pub(super) struct History {
    lines: Vec<String>,
    epochs: Vec<Epoch>,
}

impl History {
    /// The first `epochs` epochs of the file, which `content` stands for.
    ///
    /// # Errors
    /// When it cannot be read, holds fewer, or others.
    pub(super) fn resume(folder: &Path, epochs: u32, content: &Fingerprint) -> Result<Self> {
        if epochs == 0 {
            return Ok(Self::default());
        }
        let path = folder.join(HISTORY);
        let text = fs_err::read_to_string(&path)?;
        let lines: Vec<String> = text.lines().take(epochs as usize).map(str::to_owned).collect();
        if lines.len() < epochs as usize {
            bail!(
                "{} holds {} epochs where the checkpoint beside it is of epoch {epochs}; remove \
                 both to train from the start",
                path.display(),
                lines.len()
            );
        }
        let epochs = lines.iter().map(|line| serde_json::from_str(line)).collect::<Result<_, _>>();
        let epochs = epochs.with_context(|| format!("{} holds no epochs", path.display()))?;
        let history = Self { lines, epochs };
        ensure!(
            history.content() == *content,
            "{} is damaged: its epochs are not those that were trained; remove it and the checkpoint \
             beside it to train from the start",
            path.display()
        );
        Ok(history)
    }

    /// What stands for the epochs so far.
    pub(super) fn content(&self) -> Fingerprint {
        Fingerprint::of(&self.lines)
    }

    /// The epochs so far, in order.
    pub(super) fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Validation AUC of the last epoch.
    pub(super) fn last_auc(&self) -> Option<f64> {
        self.epochs().last()?.validation_auc
    }

    /// Adds an epoch and writes the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn push(&mut self, folder: &Path, epoch: &Epoch) -> Result<()> {
        self.lines.push(serde_json::to_string(epoch)?);
        self.epochs.push(epoch.clone());
        self.write(folder)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text: String = self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        artifact::write(&folder.join(HISTORY), text.as_bytes())
    }
}
