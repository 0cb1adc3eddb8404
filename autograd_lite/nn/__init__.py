"""A first, small neural-network wing."""
