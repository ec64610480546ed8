"""`python -m lode` is the command."""

from lode.cli.main import main

if __name__ == "__main__":
    main()
