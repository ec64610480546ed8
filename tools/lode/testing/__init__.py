"""Running the tests of recipes and stacks against an installed prefix, and telling what they gave."""
