//! What a step of training makes smaller.

use candle_core::{DType, Result, Tensor};

use super::evaluate::log_softmax;
use config::ClassWeights;

/// Cross-entropy with a weight per class, as PyTorch's `CrossEntropyLoss(weight=…)` with its mean
/// reduction: Σ w(tᵢ) · −log p(tᵢ) / Σ w(tᵢ) over the patches i of true class tᵢ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CrossEntropy {
    pub(super) weights: Vec<f64>,
}

/// The weight of each class where an epoch has so many examples of it, at least one.
pub(super) fn class_weights(weights: &ClassWeights, counts: &[usize]) -> Vec<f64> {
    let examples: usize = counts.iter().sum();
    match weights {
        ClassWeights::None => vec![1.0; counts.len()],
        ClassWeights::Balanced => {
            counts.iter().map(|&n| examples as f64 / (counts.len() * n) as f64).collect()
        }
        ClassWeights::Given(weights) => weights.clone(),
    }
}

impl CrossEntropy {
    /// The loss of `[n, classes]` logits as a scalar, in single precision whatever theirs is.
    pub(super) fn of(&self, logits: &Tensor, truth: &[usize]) -> Result<Tensor> {
        let (count, classes) = logits.dims2()?;
        let total: f64 = truth.iter().map(|&class| self.weights[class]).sum();
        let mut shares = vec![0f32; count * classes];
        for (i, &class) in truth.iter().enumerate() {
            shares[i * classes + class] = (-self.weights[class] / total) as f32;
        }
        let shares = Tensor::from_vec(shares, (count, classes), logits.device())?;
        (log_softmax(&logits.to_dtype(DType::F32)?)? * shares)?.sum_all()
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    /// Values and gradients of `torch.nn.CrossEntropyLoss`: tests/golden/loss.py.
    #[test]
    fn equals_pytorch_with_its_gradient() {
        #[derive(serde::Deserialize)]
        struct Golden {
            logits: Vec<Vec<f32>>,
            truth: Vec<usize>,
            weights: Option<Vec<f64>>,
            loss: f32,
            gradient: Vec<Vec<f32>>,
        }
        let goldens: Vec<Golden> =
            serde_json::from_str(include_str!("../../tests/golden/loss.json")).unwrap();
        assert!(goldens.len() >= 4);
        for golden in goldens {
            let weights = golden.weights.map_or(ClassWeights::None, ClassWeights::Given);
            let weights = class_weights(&weights, &vec![1; golden.logits[0].len()]);
            let objective = CrossEntropy { weights };
            let logits = Var::from_tensor(&Tensor::new(golden.logits, &Device::Cpu).unwrap());
            let logits = logits.unwrap();
            let loss = objective.of(&logits, &golden.truth).unwrap();
            let value = loss.to_scalar::<f32>().unwrap();
            assert!((value - golden.loss).abs() < 2e-6 * golden.loss.max(1.0), "{value}");
            let gradients = loss.backward().unwrap();
            let ours = gradients.get(&logits).unwrap().to_vec2::<f32>().unwrap();
            for (ours, theirs) in ours.iter().flatten().zip(golden.gradient.iter().flatten()) {
                assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
            }
        }
    }

    #[test]
    fn balanced_weights_give_every_class_the_same_say() {
        let balanced = |counts: &[usize]| class_weights(&ClassWeights::Balanced, counts);
        assert_eq!(balanced(&[6, 2, 4]), [12.0 / 18.0, 2.0, 1.0]);
        assert_eq!(balanced(&[3, 3]), class_weights(&ClassWeights::None, &[3, 3]));
    }
}
