"""Starts LocalStack with the two things set that it has no settings for.

Run as `python -I -c <this>`; with the argument `prepare`, does once what each first start would spend seconds on.
"""

import os
import sys

from localstack import config

# The index of all AWS services takes seconds and 300 MB to build. Kept in the environment, all stacks share one.
config.dirs.static_libs = os.path.join(sys.prefix, "share", "localstack")


def prepare():
    from localstack.aws import spec

    os.makedirs(config.dirs.static_libs, exist_ok=True)
    spec.build_service_index_cache(os.path.join(config.dirs.static_libs, spec._get_catalog_filename()))
    # Importing compiles.
    import localstack.runtime.main
    import localstack.services.s3.provider
    import localstack.services.sns.provider
    import localstack.services.sqs.provider


def start():
    from localstack.runtime.main import main
    from localstack.services.s3 import provider

    # The default is one fixed directory for all users and stacks of a machine, where the second user may not write.
    provider.DEFAULT_S3_TMP_DIR = os.path.join(os.environ["FILESYSTEM_ROOT"], "s3")
    main()


if sys.argv[1:] == ["prepare"]:
    prepare()
else:
    start()
