//! Text to one SVG path, for the widget and for the server's page.
