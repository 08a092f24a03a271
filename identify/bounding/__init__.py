"""Sharp bounds where no formula exists: response types and linear programs."""
