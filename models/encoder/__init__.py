"""Text-image encoders: texts and images as unit vectors of one space."""
