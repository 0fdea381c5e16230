"""Files of jobs: storage, downloads, and images as they come in. Knows no job record."""
