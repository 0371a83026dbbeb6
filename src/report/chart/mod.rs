//! Charts: inline SVG from views, drawn by plotters, coloured by the page's style.
//!
//! A chart knows one view and a `canvas::Canvas`. No font of the system is touched, so the same view gives the same
//! bytes on every machine; colours are names that the style sheet fills in for light, dark and print.

mod axis;
mod canvas;
mod difference;
mod interval;
mod paired;
mod recovery;
mod survival;
mod timeline;

pub use canvas::{Ink, Labels};
pub use difference::{DifferenceChart, difference};
pub use interval::interval;
pub use paired::paired;
pub use recovery::recovery;
pub use survival::survival;
pub use timeline::timeline;
