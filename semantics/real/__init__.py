"""Models with real variables: linear-Gaussian and conditional Gaussian, exactly."""
