"""The parts of `loginward report`: counting a day, signing it, looking at what was signed."""
