"""Placeholder until the next commit."""


class WrongRuleError(ValueError):
    """A"""


def define_primitive() -> None:
    """B"""
