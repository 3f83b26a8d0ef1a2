"""Starts MiniStack. Run as `python -I -c <this>`: -I ignores Python settings of the machine."""

from ministack.app import main

main()
