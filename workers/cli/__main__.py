"""`python -m workers.cli`: the console script `goodmany`."""

from workers.cli.main import main

main()
