"""Pages: one HTML file about a run, several seeds or a comparison, made from what is on disk."""
