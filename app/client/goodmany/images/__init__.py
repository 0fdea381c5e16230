"""Good images as a program has them: paths, arrays, PIL images; and as they are sent."""
