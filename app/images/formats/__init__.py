"""One module for each format that is read: from a file's bytes to a `Picture`."""
