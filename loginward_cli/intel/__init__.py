"""The parts of `loginward intel`."""
