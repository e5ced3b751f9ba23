"""``python -m mtbench``: the command, where its script is not on the path."""

from mtbench.cli import main

if __name__ == "__main__":
    main()
