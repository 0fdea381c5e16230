"""The detector that is trained, and its figures."""
