"""The checks of `loginward doctor`: each a question, what was found, and how to mend it."""
