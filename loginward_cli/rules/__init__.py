"""The parts of `loginward rules`: looking, deciding, quietening, judging the past."""
