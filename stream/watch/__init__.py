"""The watchdog: from outside of every part, whether the pipeline reads, judges and is fed."""
