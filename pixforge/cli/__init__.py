"""The command line: one module for each command, a subclass of `Command` with its options and `run`."""
