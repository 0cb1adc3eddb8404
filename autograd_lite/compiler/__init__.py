"""Recorded functions as straight-line programs, and programs as text for other compilers."""
