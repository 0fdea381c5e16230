"""Variance-aware image generator (TGI-AD, section 4.1.2)."""
