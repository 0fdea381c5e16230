"""The GPU worker: takes jobs, keeps the models warm, survives what may happen to either."""
