"""Starts LocalStack as its own image does, with the index of services where prepare.py put it."""

import os
import sys

from localstack import config

config.dirs.static_libs = os.path.join(sys.prefix, "share", "localstack")

from localstack.runtime.main import main

main()
