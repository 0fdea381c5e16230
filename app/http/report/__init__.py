"""A job's report: one HTML file with all that a person judges a set by, to be kept or sent on."""
