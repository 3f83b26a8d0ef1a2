"""Does once, after the installation, what each first start of LocalStack would spend seconds on."""

import os
import sys

from localstack import config
from localstack.aws import spec

# The index of all AWS services takes seconds and 300 MB to build. Kept in the environment, all stacks share one.
config.dirs.static_libs = os.path.join(sys.prefix, "share", "localstack")
os.makedirs(config.dirs.static_libs, exist_ok=True)
spec.build_service_index_cache(os.path.join(config.dirs.static_libs, spec._get_catalog_filename()))

# Importing compiles.
import localstack.runtime.main
import localstack.runtime.server.twisted
import localstack.services.s3.provider
import localstack.services.sns.provider
import localstack.services.sqs.provider
