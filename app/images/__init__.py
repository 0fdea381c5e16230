"""What an image file means: its format, its pixels, its white, and what is odd about it."""
