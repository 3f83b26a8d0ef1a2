"""Starts LocalStack with the things set that it has no settings for. Run as `python -I -c <this>`."""

import os
import sys

from localstack import config


def listen_on_loopback_only():
    """GATEWAY_LISTEN's host is ignored for IPv4, and everyone on the network could come in; and where the port is taken,
    LocalStack would log that and go on without one."""
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
    """The default is one fixed directory for all users and stacks of a machine, where the second user may not write."""
    from localstack.services.s3 import provider

    provider.DEFAULT_S3_TMP_DIR = os.path.join(os.environ["FILESYSTEM_ROOT"], "s3")


# Where prepare.py put the index of services.
config.dirs.static_libs = os.path.join(sys.prefix, "share", "localstack")
listen_on_loopback_only()
keep_objects_in_our_directory()

from localstack.runtime.main import main

main()
