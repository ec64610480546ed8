"""The command line: reads arguments, the environment and the clock, calls workflow, prints, exits."""
