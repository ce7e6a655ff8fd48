"""Fetches the geo data that comes along: by package name, pinned, with its licences beside it."""

from .errors import GeoError
from .fetch import ensure, publish

__all__ = ["GeoError", "ensure", "publish"]
