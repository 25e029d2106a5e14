"""`python -m tacit`, where no script is on the path."""

from tacit.cli import main

main()
