"""Writing the activation of a prefix as a script: one module a shell, each with `render(Activation) -> str`."""
