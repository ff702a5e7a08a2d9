//! What the outputs of weights made elsewhere stand for.
//!
//! A class's probability is the sum of those of its outputs under the softmax: its logit is the logarithm
//! of the sum of their exponentials. Where one output alone stands for a class, for cancer, the other class has the
//! logit 0, so that cancer has the sigmoid as its probability.

use anyhow::{Result, bail};
use candle_core::{D, DType, Tensor};

/// By class, the outputs that stand for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning(Vec<Vec<usize>>);

impl Meaning {
    /// Of a network with so many outputs; `None` where each output is a class of its own, in order.
    /// `given` has the class of each output, `None` for one that is left out; without it, one output of
    /// two classes is the second.
    ///
    /// # Errors
    /// When it is not known what each output stands for, or no output stands for one of the classes.
    pub fn of(
        given: Option<&[Option<usize>]>,
        outputs: usize,
        classes: usize,
    ) -> Result<Option<Meaning>> {
        match given {
            Some(given) => {
                if given.len() != outputs {
                    bail!(
                        "`outputs` says what {} {} for, and the weights have {outputs}: list every output \
                         of theirs, in order, `unused` where it is to be left out",
                        given.len(),
                        if given.len() == 1 { "output stands" } else { "outputs stand" }
                    );
                }
                let of_class =
                    |class| (0..outputs).filter(|at| given[*at] == Some(class)).collect();
                let by_class: Vec<Vec<usize>> = (0..classes).map(of_class).collect();
                // A class alone has its sigmoid, and outputs may say nothing of the classes at all. Otherwise a
                // class without any would have the logit 0, which no network gave it.
                let told = by_class.iter().filter(|of_class| !of_class.is_empty()).count();
                let outputs_told = by_class.iter().map(Vec::len).sum::<usize>();
                if told < classes && outputs_told > 1 {
                    bail!(
                        "of `outputs`, none stands for one of the {classes} classes: the softmax of \
                         several outputs needs one for each"
                    );
                }
                Ok(Some(Meaning(by_class)))
            }
            None if outputs == classes => Ok(None),
            None if (outputs, classes) == (1, 2) => Ok(Some(Meaning(vec![vec![], vec![0]]))),
            None => bail!(
                "the weights have {outputs} {}, and the patches {classes} classes: `outputs` says what \
                 each output stands for, such as `outputs: [normal, benign, cancer]`; fine-tuning \
                 (`training: {{ … }}`) puts a new last layer in its place",
                if outputs == 1 { "output" } else { "outputs" }
            ),
        }
    }

    /// Logits of the classes from those of the outputs; the outputs are the last dimension.
    ///
    /// # Errors
    /// When the device fails.
    pub fn classes(&self, logits: &Tensor) -> candle_core::Result<Tensor> {
        let columns = self.0.iter().map(|outputs| match outputs.as_slice() {
            [] => logits.narrow(D::Minus1, 0, 1)?.zeros_like(),
            [one] => logits.narrow(D::Minus1, *one, 1),
            several => {
                let logits = picked(logits, several)?;
                let most = logits.max_keepdim(D::Minus1)?;
                let sum = logits.broadcast_sub(&most)?.exp()?.sum_keepdim(D::Minus1)?;
                sum.log()? + most
            }
        });
        Tensor::cat(&columns.collect::<candle_core::Result<Vec<_>>>()?, D::Minus1)
    }

    /// Gradients of the classes' summed logits by some maps, from those of the outputs: one list of maps
    /// per output, which is empty where it is not asked for, and per class; maps are images x units x rows x columns.
    ///
    /// # Errors
    /// When the device fails.
    pub fn gradients(
        &self,
        logits: &Tensor,
        by_output: &[Vec<Tensor>],
    ) -> candle_core::Result<Vec<Vec<Tensor>>> {
        let of_class = |outputs: &Vec<usize>| match outputs.as_slice() {
            [] => by_output[0].iter().map(Tensor::zeros_like).collect(),
            [one] => Ok(by_output[*one].clone()),
            several => {
                // How much each output has of its class, image by image.
                let logits = picked(logits, several)?.to_dtype(DType::F32)?;
                let most = logits.max_keepdim(D::Minus1)?;
                let powers = logits.broadcast_sub(&most)?.exp()?;
                let shares = powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)?;
                let maps = 0..by_output[0].len();
                maps.map(|map| {
                    let mut sum: Option<Tensor> = None;
                    for (place, output) in several.iter().enumerate() {
                        let gradient = &by_output[*output][map];
                        let images = gradient.dim(0)?;
                        let share =
                            shares.narrow(D::Minus1, place, 1)?.to_device(gradient.device())?;
                        let part = gradient.broadcast_mul(&share.reshape((images, 1, 1, 1))?)?;
                        sum = Some(match sum {
                            Some(sum) => (sum + part)?,
                            None => part,
                        });
                    }
                    sum.ok_or_else(|| candle_core::Error::Msg("a class has no output".into()).bt())
                })
                .collect()
            }
        };
        self.0.iter().map(of_class).collect()
    }

    /// Whether [`Meaning::gradients`] looks at those of an output; at the first it may always.
    pub(crate) fn asks(&self, output: usize) -> bool {
        output == 0 || self.0.iter().any(|outputs| outputs.contains(&output))
    }

    /// Whether any output stands for a class.
    pub fn tells(&self) -> bool {
        self.0.iter().any(|outputs| !outputs.is_empty())
    }

    /// Whether each class is one output, or none.
    pub fn is_one_to_one(&self) -> bool {
        self.0.iter().all(|outputs| outputs.len() < 2)
    }

    /// Rows of the last layer, one per class, where each class is one output or none.
    pub(crate) fn rows(&self, weights: &Tensor) -> Option<candle_core::Result<Tensor>> {
        if !self.is_one_to_one() {
            return None;
        }
        let row = |outputs: &Vec<usize>| match outputs.first() {
            Some(one) => weights.narrow(0, *one, 1),
            None => weights.narrow(0, 0, 1)?.zeros_like(),
        };
        let rows: candle_core::Result<Vec<Tensor>> = self.0.iter().map(row).collect();
        Some(rows.and_then(|rows| Tensor::cat(&rows, 0)))
    }
}

/// Some of the outputs.
fn picked(logits: &Tensor, outputs: &[usize]) -> candle_core::Result<Tensor> {
    let columns = outputs.iter().map(|output| logits.narrow(D::Minus1, *output, 1));
    Tensor::cat(&columns.collect::<candle_core::Result<Vec<_>>>()?, D::Minus1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn tensor(values: &[f32], dims: &[usize]) -> Tensor {
        Tensor::from_vec(values.to_vec(), dims, &Device::Cpu).unwrap()
    }

    fn all(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn probabilities_of_a_class_are_those_of_its_outputs_together() {
        // Normal, cancer, unused, benign; of two classes.
        let meaning = Meaning(vec![vec![0, 3], vec![1]]);
        let logits = tensor(&[0.5, 1.0, 9.0, -0.25, 80.0, 90.0, 0.0, 89.0], &[2, 4]);
        let found = meaning.classes(&logits).unwrap();
        assert_eq!(found.dims(), [2, 2]);
        let expected =
            [(0.5f64.exp() + (-0.25f64).exp()).ln(), 1.0, 89.0 + (-9f64).exp().ln_1p(), 90.0];
        for (found, expected) in all(&found).iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
        }
        // The gradient is the softmax within the class.
        let maps = |value: f32| vec![tensor(&[value, value], &[2, 1, 1, 1])];
        let gradients =
            meaning.gradients(&logits, &[maps(1.0), maps(5.0), maps(7.0), maps(3.0)]).unwrap();
        let share = 0.5f64.exp() / (0.5f64.exp() + (-0.25f64).exp());
        let first = f64::from(all(&gradients[0][0])[0]);
        assert!((first - (share + 3.0 * (1.0 - share))).abs() < 1e-6, "{first}");
        assert_eq!(all(&gradients[1][0]), [5.0, 5.0]);
        assert!(meaning.rows(&tensor(&[0.0; 8], &[4, 2])).is_none());
    }

    #[test]
    fn one_output_is_cancer_against_nothing() {
        let meaning = Meaning::of(None, 1, 2).unwrap().unwrap();
        let found = meaning.classes(&tensor(&[0.7, -2.0], &[2, 1])).unwrap();
        assert_eq!(all(&found), [0.0, 0.7, 0.0, -2.0]);
        let rows = meaning.rows(&tensor(&[3.0, 4.0], &[1, 2])).unwrap().unwrap();
        assert_eq!(all(&rows), [0.0, 0.0, 3.0, 4.0]);
        assert_eq!(Meaning::of(None, 3, 3).unwrap(), None);
        let message = Meaning::of(None, 5, 2).unwrap_err().to_string();
        assert!(message.contains("5 outputs") && message.contains("`outputs`"), "{message}");
    }

    /// Weights of other outputs than the project says would be read wrongly, and silently.
    #[test]
    fn every_output_is_listed_and_every_class_has_one() {
        let of = |given: &[Option<usize>], outputs| Meaning::of(Some(given), outputs, 2);
        let (normal, cancer) = (Some(0), Some(1));
        assert_eq!(
            of(&[normal, cancer, None, normal], 4).unwrap(),
            Some(Meaning(vec![vec![0, 3], vec![1]]))
        );
        assert_eq!(of(&[cancer], 1).unwrap(), Some(Meaning(vec![vec![], vec![0]])));
        // Beside outputs of other heads cancer has its sigmoid, or is not told.
        assert_eq!(of(&[None, cancer, None], 3).unwrap(), Some(Meaning(vec![vec![], vec![1]])));
        let silent = of(&[None, None], 2).unwrap().unwrap();
        assert!(!silent.tells());
        assert_eq!(all(&silent.classes(&tensor(&[3.0, 4.0], &[1, 2])).unwrap()), [0.0, 0.0]);
        for (given, outputs, says) in [
            // Benign would count as cancer, were the three normal, benign, cancer.
            (&[normal, cancer][..], 3, "what 2 outputs stand for, and the weights have 3"),
            (&[cancer], 2, "what 1 output stands for, and the weights have 2"),
            (&[normal, cancer, None], 2, "what 3 outputs stand for, and the weights have 2"),
            (&[cancer, cancer], 2, "none stands for one of the 2 classes"),
        ] {
            let message = of(given, outputs).unwrap_err().to_string();
            assert!(message.contains(says), "{given:?}: {message}");
        }
    }
}
