"""The version of the installed distribution; a module of its own, as reading it takes a tenth of a second."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("essl-synergy")
