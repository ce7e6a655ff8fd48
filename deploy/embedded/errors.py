"""What can go wrong with the embedded servers, said so that the reader can act."""


class StackError(Exception):
    """A server of the embedded stack could not be started, reached or stopped.

    The text names the place, the value and the way out; it is fit for a terminal.
    """
