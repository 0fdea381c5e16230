"""Text-guided knowledge integrator (TGI-AD, section 4.2)."""
