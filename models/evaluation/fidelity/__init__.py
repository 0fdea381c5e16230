"""Whether images look like what the line makes: precision and coverage beside AUROC."""
