"""Invertible latent models of several domains: finite, linear, and of invertible pieces."""
