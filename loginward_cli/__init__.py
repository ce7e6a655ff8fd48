"""The command line: one file a sub-command, imported only when it is used."""
