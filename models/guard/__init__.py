"""Normality guard: what a generated image may not be. The paper has none."""
