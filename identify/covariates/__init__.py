"""What covariates and instruments do: adjustment, front door, selection."""
