"""Latent models of several domains fitted to samples: likelihood, starts, descent, selection."""
