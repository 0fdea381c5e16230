"""Processes, outages, device memory, spans: what any worker needs. Knows no method."""
