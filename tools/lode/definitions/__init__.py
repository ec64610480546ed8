"""What is asked and what is known: versions, recipes, stacks, targets, and the catalogue that finds them."""
