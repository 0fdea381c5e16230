"""Logs, traces and metrics, of this process and of all together."""
