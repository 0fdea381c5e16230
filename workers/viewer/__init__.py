"""The viewer: shows which views of images are good, in a process of its own beside the worker."""
