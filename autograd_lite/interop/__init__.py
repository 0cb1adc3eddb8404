"""Classes that programs written for other packages expect, on this package's engine. Each is imported by its module's name."""
