"""How a view is shown: moved, resampled, lit, a lone part on its ground."""
