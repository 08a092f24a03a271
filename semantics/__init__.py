"""What diagrams and formulas mean: stochastic matrices, exact and symbolic ones, data."""
