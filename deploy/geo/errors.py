"""What can go wrong with fetching geo data, said so that the reader can act."""


class GeoError(Exception):
    """The data could not be had; the pipeline runs without it, and origins are not known."""
