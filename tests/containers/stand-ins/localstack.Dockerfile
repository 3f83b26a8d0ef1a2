# Stands in for localstack/localstack: the real program, from the same hash-locked packages that `candlewick up` installs.
FROM debian:bookworm-slim
# Whatever versions Debian has now.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY requirements-build.txt requirements.txt prepare.py /
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PATH=/opt/localstack/bin:/usr/bin:/bin
RUN python3 -m venv /opt/localstack \
    && for lock in /requirements-build.txt /requirements.txt; do \
        pip install --no-cache-dir --no-deps --no-build-isolation --require-hashes --requirement "$lock" || exit 1; \
    done \
    && python -I /prepare.py
COPY launch.py /
ENV FILESYSTEM_ROOT=/var/lib/localstack OVERRIDE_IN_DOCKER=0 GATEWAY_LISTEN=0.0.0.0:4566 DNS_ADDRESS=0
EXPOSE 4566
CMD ["python", "/launch.py"]
