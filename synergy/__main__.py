"""`python -m synergy` is the command `synergy`."""

from synergy.cli import main

main()
