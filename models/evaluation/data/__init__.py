"""Folders in the MVTec layout."""
