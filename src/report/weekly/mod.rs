//! The weekly report as people read it: a page and a text for the terminal, from one view.

mod html;
mod text;
mod view;

pub use html::weekly_html;
pub use text::weekly_text;
