"""Configures what LocalStack has no settings for, then starts it. Run as `python -I -c <this>`."""

import os
import sys

from localstack import config


def listen_on_loopback_only():
    """LocalStack ignores the host of GATEWAY_LISTEN for IPv4 and would be open to the network. If the port is taken, it would
    only log that and continue without a port."""
    from localstack.runtime.server import twisted

    class Loopback(twisted.endpoints.TCP4ServerEndpoint):
        def __init__(self, reactor, port):
            super().__init__(reactor, port, interface="127.0.0.1")

        def listen(self, factory):
            return super().listen(factory).addErrback(give_up)

    def give_up(failure):
        print(failure.getErrorMessage(), flush=True)
        os._exit(1)

    twisted.endpoints.TCP4ServerEndpoint = Loopback


def keep_objects_in_our_directory():
    """The default is one directory for all users and stacks of a machine, in which a second user cannot write."""
    from localstack.services.s3 import provider

    provider.DEFAULT_S3_TMP_DIR = os.path.join(os.environ["FILESYSTEM_ROOT"], "s3")


# prepare.py wrote the index of services there.
config.dirs.static_libs = os.path.join(sys.prefix, "share", "localstack")
listen_on_loopback_only()
keep_objects_in_our_directory()

from localstack.runtime.main import main

main()
