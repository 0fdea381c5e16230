"""Summaries and plots of finished measurements."""
