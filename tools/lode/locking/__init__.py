"""What is chosen: the resolver, the graph of nodes, the lock file, and the explanations of both."""
