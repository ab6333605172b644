"""`python -m handlens` is the command `handlens`."""

from handlens.cli import main

if __name__ == "__main__":
    main()
