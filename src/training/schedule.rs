//! The learning rate of each step.

use config::{Rates, Schedule, Training};

/// Learning rates at `step` (from 0) of `steps` in all, in `epoch` (from 1): warm-up, then constant
/// or cosine, divided by ten at each decay epoch.
pub fn rates(training: &Training, step: u64, steps: u64, epoch: u32) -> Rates {
    let decays = training.lr_decay_epochs.iter().filter(|&&e| e <= epoch).count();
    let warm = match u64::from(training.warmup) {
        0 => 1.0,
        warmup => ((step + 1) as f64 / warmup as f64).min(1.0),
    };
    let shape = match training.schedule {
        Schedule::Constant => 1.0,
        Schedule::Cosine => {
            (1.0 + (std::f64::consts::PI * step as f64 / steps.max(1) as f64).cos()) / 2.0
        }
    };
    let Rates { head, rest } = training.lr.rates();
    let at_step = |rate: f64| rate * warm * shape * 0.1_f64.powi(decays as i32);
    Rates { head: at_step(head), rest: at_step(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{Augment, ClassWeights, Rate};

    fn training(schedule: Schedule) -> Training {
        Training {
            epochs: 5,
            batch: 32,
            lr: Rate::Same(1e-4),
            momentum: 0.9,
            weight_decay: 1e-4,
            lr_decay_epochs: vec![4],
            schedule,
            warmup: 10,
            freeze: None,
            augment: Augment::NONE,
            balance: false,
            auxiliary: false,
            precision: architecture::Precision::F32,
            class_weights: ClassWeights::None,
            objective: Default::default(),
            early_stopping: None,
            checkpoint_minutes: 0.0,
            tensorboard: false,
        }
    }

    /// The rate of all parts.
    fn rate(training: &Training, step: u64, steps: u64, epoch: u32) -> f64 {
        let Rates { head, rest } = rates(training, step, steps, epoch);
        assert!(head == rest);
        rest
    }

    #[test]
    fn parts_keep_their_proportion() {
        let t = training(Schedule::Constant);
        let t = Training { lr: Rate::Parts(Rates { head: 1e-2, rest: 1e-3 }), ..t };
        let Rates { head, rest } = rates(&t, 4, 100, 4);
        assert!((head - 5e-4).abs() < 1e-15 && (rest - 5e-5).abs() < 1e-15);
    }

    #[test]
    fn warms_up_holds_and_decays() {
        let t = training(Schedule::Constant);
        assert!((rate(&t, 0, 100, 1) - 1e-5).abs() < 1e-15);
        assert!((rate(&t, 9, 100, 1) - 1e-4).abs() < 1e-15);
        assert!((rate(&t, 60, 100, 3) - 1e-4).abs() < 1e-15);
        assert!((rate(&t, 80, 100, 4) - 1e-5).abs() < 1e-15);
    }

    #[test]
    fn a_cosine_is_half_way_in_the_middle_and_ends_near_zero() {
        let t = training(Schedule::Cosine);
        assert!((rate(&t, 50, 100, 1) - 5e-5).abs() < 1e-12);
        assert!(rate(&t, 99, 100, 1) < 1e-7);
    }
}
