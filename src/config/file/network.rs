//! The check of `networks:`.

use std::path::{Path, PathBuf};

use serde_yaml::Spanned;

use super::{BELOW_ONE, Check, NOT_NEGATIVE, POSITIVE};
use crate::form::{AugmentSwitch, Given, NetworkFile, Switch, TrainingFile, WeightsChoice};
use crate::{Augment, ClassWeights, Network, Start, Training, defaults};
use architecture::{
    ARCHITECTURES, Architecture, BUILTIN, Family, MIN_AUXILIARY_INPUT, Pooling, WINDOW7_INPUTS,
};
use base::yaml::{Mistake, unknown};

impl Check<'_> {
    pub(super) fn networks(
        &self,
        given: Given<Vec<Spanned<NetworkFile>>>,
        output: &Path,
        classes: u32,
    ) -> Result<Vec<Network>, Mistake> {
        let Some(list) = given else { return Ok(defaults::networks()) };
        if list.value.is_empty() {
            return self.wrong(
                list.referenced,
                "`networks` is empty; name at least one, or leave the key out for the defaults",
            );
        }
        let mut networks: Vec<Network> = Vec::new();
        for file in list.value {
            let at = file.value.name.referenced;
            let network = self.network(file.value, output, classes)?;
            if networks.iter().any(|other| other.name == network.name) {
                return self.wrong(
                    at,
                    format!("the network `{}` is listed twice; names are unique", network.name),
                );
            }
            networks.push(network);
        }
        Ok(networks)
    }

    fn network(&self, file: NetworkFile, output: &Path, classes: u32) -> Result<Network, Mistake> {
        let architecture = self.architecture(&file.name)?;
        let (least, usual) = (architecture.min_input, architecture.input);
        let input = self.whole("input", file.input, usual, least, 2048)?;
        let untrained = matches!(file.training, Some(Switch::Flag(false)));
        Ok(Network {
            name: architecture.name.to_owned(),
            weights: self.weights(file.weights, output, architecture, untrained)?,
            layers: match file.layers {
                Some(list) => self.layers(list, architecture)?,
                None => architecture.dissected.iter().map(|&layer| layer.to_owned()).collect(),
            },
            input,
            pooling: self.pooling(file.pooling, architecture, input)?,
            training: match file.training {
                Some(Switch::Flag(false)) => None,
                Some(Switch::Flag(true)) | None => Some(defaults::training()),
                Some(Switch::Settings(file)) => {
                    Some(self.training(*file, architecture, input, classes)?)
                }
            },
        })
    }

    fn architecture(&self, name: &Spanned<String>) -> Result<&'static Architecture, Mistake> {
        if let Some(found) = ARCHITECTURES.iter().find(|a| a.name == name.value) {
            return Ok(found);
        }
        let known: Vec<&str> = ARCHITECTURES.iter().map(|a| a.name).collect();
        self.wrong(name.referenced, unknown("network", &name.value, &known))
    }

    fn weights(
        &self,
        given: Given<PathBuf>,
        output: &Path,
        architecture: &Architecture,
        untrained: bool,
    ) -> Result<Start, Mistake> {
        let Some(path) = given else { return Ok(Start::Random) };
        let name = path.value.to_str().unwrap_or_default();
        if name == "builtin" {
            return match BUILTIN.contains(&architecture.name) {
                false => self.wrong(
                    path.referenced,
                    format!(
                        "there are no built-in weights for {}, only for {}",
                        architecture.name,
                        BUILTIN.join(" and ")
                    ),
                ),
                true if untrained => self.wrong(
                    path.referenced,
                    "the built-in weights end with the convolutions: the layers after them must be \
                     trained, so `training: false` cannot be",
                ),
                true => Ok(Start::Builtin),
            };
        }
        if self.resolve(&path.value).starts_with(output) {
            return self.wrong(
                path.referenced,
                "`weights` lies in this project's own output folder, which training writes to; copy \
                 the file elsewhere, or name another project's",
            );
        }
        let kinds = [".pth", ".pt", ".pth.tar", ".bin", ".safetensors"];
        if kinds.iter().any(|kind| name.ends_with(kind)) {
            return Ok(Start::File(self.resolve(&path.value)));
        }
        self.wrong(
            path.referenced,
            "`weights` must be `builtin`, a file of PyTorch (.pth, .pt, .pth.tar, .bin) or a \
             .safetensors file",
        )
    }

    fn layers(
        &self,
        list: Spanned<Vec<Spanned<String>>>,
        architecture: &Architecture,
    ) -> Result<Vec<String>, Mistake> {
        if list.value.is_empty() {
            return self.wrong(
                list.referenced,
                format!(
                    "`layers` is empty; the layers of {} are {}",
                    architecture.name,
                    architecture.layers.join(", ")
                ),
            );
        }
        let mut layers: Vec<String> = Vec::new();
        for layer in list.value {
            if !architecture.layers.contains(&layer.value.as_str()) {
                let what = format!("layer of {}", architecture.name);
                return self
                    .wrong(layer.referenced, unknown(&what, &layer.value, architecture.layers));
            }
            if layers.contains(&layer.value) {
                return self.wrong(
                    layer.referenced,
                    format!("the layer `{}` is listed twice", layer.value),
                );
            }
            layers.push(layer.value);
        }
        Ok(layers)
    }

    fn pooling(
        &self,
        given: Given<Pooling>,
        architecture: &Architecture,
        input: u32,
    ) -> Result<Pooling, Mistake> {
        let Some(v) = given else { return Ok(Pooling::default()) };
        if architecture.family != Family::ResNet {
            let name = architecture.name;
            return self.wrong(
                v.referenced,
                format!("`pooling` is a choice of the ResNets; {name} has none"),
            );
        }
        if v.value == Pooling::Window7 && !WINDOW7_INPUTS.contains(&input) {
            let (least, most) = WINDOW7_INPUTS.into_inner();
            return self.wrong(
                v.referenced,
                format!("`window7` needs an `input` of {least} to {most} pixels, not {input}"),
            );
        }
        Ok(v.value)
    }

    fn auxiliary(
        &self,
        given: Given<bool>,
        architecture: &Architecture,
        input: u32,
    ) -> Result<bool, Mistake> {
        let Some(v) = given else { return Ok(false) };
        if architecture.family != Family::Inception {
            let name = architecture.name;
            return self.wrong(
                v.referenced,
                format!("`auxiliary` is a choice of inception_v3; {name} has none"),
            );
        }
        if v.value && input < MIN_AUXILIARY_INPUT {
            return self.wrong(
                v.referenced,
                format!(
                    "the auxiliary classifier needs an `input` of at least {MIN_AUXILIARY_INPUT} \
                     pixels, not {input}"
                ),
            );
        }
        Ok(v.value)
    }

    fn training(
        &self,
        file: TrainingFile,
        architecture: &Architecture,
        input: u32,
        classes: u32,
    ) -> Result<Training, Mistake> {
        let default = defaults::training();
        let mut lr_decay_epochs = Vec::new();
        for epoch in file.lr_decay_epochs.unwrap_or_default() {
            let at = epoch.referenced;
            let epoch = self.whole("lr_decay_epochs", Some(epoch), 1, 1, 100_000)?;
            if lr_decay_epochs.last().is_some_and(|&last| last >= epoch) {
                return self.wrong(at, "`lr_decay_epochs` must rise from entry to entry");
            }
            lr_decay_epochs.push(epoch);
        }
        let batch = default.batch as u32;
        Ok(Training {
            epochs: self.whole("epochs", file.epochs, default.epochs, 1, 100_000)?,
            batch: self.whole("batch", file.batch, batch, 1, 65_536)? as usize,
            lr: self.number("lr", file.lr, default.lr, &POSITIVE)?,
            momentum: self.number("momentum", file.momentum, default.momentum, &BELOW_ONE)?,
            weight_decay: self.number(
                "weight_decay",
                file.weight_decay,
                default.weight_decay,
                &NOT_NEGATIVE,
            )?,
            lr_decay_epochs,
            schedule: file.schedule.unwrap_or(default.schedule),
            warmup: self.whole("warmup", file.warmup, default.warmup, 0, u32::MAX)?,
            augment: match file.augment {
                Some(switch) => self.augment(switch)?,
                None => default.augment,
            },
            balance: file.balance.unwrap_or(default.balance),
            class_weights: match file.class_weights {
                Some(choice) => self.class_weights(choice, classes)?,
                None => default.class_weights,
            },
            early_stopping: match file.early_stopping {
                Some(epochs) => Some(self.whole("early_stopping", Some(epochs), 1, 1, 100_000)?),
                None => default.early_stopping,
            },
            checkpoint_minutes: self.number(
                "checkpoint_minutes",
                file.checkpoint_minutes,
                default.checkpoint_minutes,
                &NOT_NEGATIVE,
            )?,
            tensorboard: file.tensorboard.unwrap_or(default.tensorboard),
            auxiliary: self.auxiliary(file.auxiliary, architecture, input)?,
            precision: file.precision.unwrap_or(default.precision),
        })
    }

    fn augment(&self, switch: AugmentSwitch) -> Result<Augment, Mistake> {
        Ok(match switch {
            AugmentSwitch::Flag(false) => Augment::NONE,
            AugmentSwitch::Flag(true) => Augment::SYMMETRIES,
            AugmentSwitch::Settings(file) => Augment {
                flips: file.flips.unwrap_or(Augment::SYMMETRIES.flips),
                rotations: file.rotations.unwrap_or(Augment::SYMMETRIES.rotations),
                intensity: self.number("augment.intensity", file.intensity, 0.0, &BELOW_ONE)?,
            },
        })
    }

    fn class_weights(
        &self,
        choice: Spanned<WeightsChoice>,
        classes: u32,
    ) -> Result<ClassWeights, Mistake> {
        let at = choice.referenced;
        match choice.value {
            WeightsChoice::Word(word) => match word.as_str() {
                "none" => Ok(ClassWeights::None),
                "balanced" => Ok(ClassWeights::Balanced),
                other => self.wrong(
                    at,
                    unknown("choice of class weights", other, &["none", "balanced"])
                        + "; a list gives each class its own, such as [1, 2]",
                ),
            },
            WeightsChoice::Numbers(list) if list.len() != classes as usize => self.wrong(
                at,
                format!(
                    "`class_weights` has {}, but there are {classes} classes \
                     (`patches.classes`)",
                    list.len()
                ),
            ),
            WeightsChoice::Numbers(list) => {
                let weight = |v| self.number("class_weights", Some(v), 1.0, &POSITIVE);
                list.into_iter().map(weight).collect::<Result<_, _>>().map(ClassWeights::Given)
            }
        }
    }
}
