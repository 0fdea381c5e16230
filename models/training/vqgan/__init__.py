"""The parts of a training run of the base VQGAN: crops in, weights and their card out."""
