//! Campaigns with a control arm: quiet, or in a world in which everything moves without any kill.
//!
//! The kill's own effect decides what is right. Everything that moves both arms alike is no effect of the kill.

use unfazed::run::Arm;
use unfazed::stats::random::Stream;

use super::gauge::{ALLOWED, Effect, Gauge, Stretch, pooled_mann_whitney};
use super::world::{Drawn, Place, World, document, summary};

/// One such world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Controlled {
    gauge: Gauge,
    controls: usize,
    /// What moves both arms, in allowed increases.
    common: f64,
}

impl Controlled {
    /// A world with control iterations and a movement common to both arms.
    pub(crate) fn new(controls: usize, common: f64) -> Self {
        Self { gauge: Gauge::new(0.6, Effect::Symmetric), controls, common }
    }
}

impl World for Controlled {
    fn document(&self) -> String {
        document(
            &format!("{{name: metric, gauge: metric, expect: {{increase_at_most: {ALLOWED}}}}}"),
            "",
        )
    }

    fn controls(&self) -> usize {
        self.controls
    }

    /// The limits are of the raw change, the truth is about what the kill itself does.
    fn truth(&self, _place: Place) -> Option<f64> {
        None
    }

    fn draw(&self, place: Place, kills: usize, stream: &mut Stream) -> Drawn {
        let common = self.common * ALLOWED;
        let own = self.gauge.change(place);
        let mut before: Vec<f64> = Vec::new();
        let mut after: Vec<f64> = Vec::new();
        let mut windows = Vec::with_capacity(kills + self.controls);
        for _ in 0..kills {
            let effect = own + common + self.gauge.effect.draw(stream);
            let scrapes = Stretch::draw(self.gauge.phi, effect, stream);
            before.extend(&scrapes.before);
            after.extend(scrapes.after.iter().map(|value| value - ALLOWED));
            windows.push(scrapes.windows(Arm::Fault));
        }
        for _ in 0..self.controls {
            let effect = common + self.gauge.effect.draw(stream);
            windows.push(Stretch::draw(self.gauge.phi, effect, stream).windows(Arm::Control));
        }
        let usual = Some(pooled_mann_whitney(&before, &after));
        Drawn { summary: summary(windows.into_iter()), recovery: None, usual }
    }
}
