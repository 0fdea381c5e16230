"""Device memory, model hub, errors: what every model needs. Knows no method."""
