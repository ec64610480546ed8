"""From artifacts to a prefix that can be used: installation for the final path, activation scripts, audit, shell."""
