"""Normal-preserving views of good images: which there are, how they are drawn and shown."""
