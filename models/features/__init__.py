"""Patch features of a frozen network, and their nearest neighbours."""
