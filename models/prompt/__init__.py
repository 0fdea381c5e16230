"""Keyword-to-prompt generator (TGI-AD, section 4.1.1)."""
