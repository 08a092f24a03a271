"""Latent models of several domains on diagrams: canonical form, equivalence, what data leave open."""
