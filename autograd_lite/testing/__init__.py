"""Tools to test gradients with."""
