# Stand-in for localstack/localstack: the real program, from the same hash-locked packages that `candlewick up` installs.
#
# `installed` installs them here. `given` takes them from the build context, where another Python of the same version put them.
ARG PACKAGES=installed

FROM debian:bookworm-slim AS installed
COPY requirements-build.txt requirements.txt prepare.py /
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PATH=/opt/localstack/bin:/usr/bin:/bin
RUN python3 -m venv /opt/localstack \
    && for lock in /requirements-build.txt /requirements.txt; do \
        pip install --no-cache-dir --no-deps --no-build-isolation --require-hashes --requirement "$lock" || exit 1; \
    done \
    && python -I /prepare.py

FROM debian:bookworm-slim AS given
RUN python3 -m venv --without-pip /opt/localstack
COPY lib /opt/localstack/lib
COPY share /opt/localstack/share

FROM ${PACKAGES} AS packages

FROM debian:bookworm-slim
COPY --from=packages /opt/localstack /opt/localstack
COPY launch.py /
ENV FILESYSTEM_ROOT=/var/lib/localstack OVERRIDE_IN_DOCKER=0 GATEWAY_LISTEN=0.0.0.0:4566 DNS_ADDRESS=0 \
    PATH=/opt/localstack/bin:/usr/bin:/bin
EXPOSE 4566
CMD ["python", "/launch.py"]
