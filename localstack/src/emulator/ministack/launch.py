"""Starts MiniStack. Run as `python -I -c <this>`: -I keeps the machine's own Python settings away."""

from ministack.app import main

main()
