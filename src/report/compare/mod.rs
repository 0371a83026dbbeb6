//! The comparison of two campaigns as people read it: a page and a text for the terminal, from one view.

mod html;
mod text;
mod view;

pub use html::comparison_html;
pub use text::comparison_text;
