"""What follows: identification by surgery and combs, with derivations that are replayed and checked."""
