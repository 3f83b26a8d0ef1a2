# The images of Candlewick, a target for each program: docker build --target loader --tag candlewick/loader:local .
#
# Programs are linked statically, so an image needs no C library and no package. It contains the program, its bill of materials,
# and the base's files (certificates, time zones, the user 65532).
# By tag: no registry could be asked when this was written; the workflow `pin` proposes the digest.
ARG RUST=rust:1.95-slim-bookworm
# By tag: no registry could be asked when this was written; the workflow `pin` proposes the digest.
ARG BASE=gcr.io/distroless/static-debian12:nonroot
# By tag: no registry could be asked when this was written; the workflow `pin` proposes the digest.
ARG PYTHON=python:3.12-slim-bookworm
# `built` builds the programs here. `prebuilt` takes them from the build context, which is then a folder of programs.
ARG PROGRAMS=built
# `rds` adds the certificates of Amazon RDS, as /etc/ssl/certs/rds-global-bundle.pem.
ARG CERTIFICATES=usual

FROM ${RUST} AS toolchain
WORKDIR /candlewick
# The target is named so that build scripts and macros, which run here, are linked as usual.
ENV CARGO_PROFILE_RELEASE_STRIP=symbols
RUN printf '[build]\ntarget = "%s"\nrustflags = ["-C", "target-feature=+crt-static"]\n' \
    "$(rustc --print host-tuple)" > "${CARGO_HOME}/config.toml"

# The manifests and, for cargo to find its targets, an empty program at the root of each.
FROM toolchain AS manifests
COPY . .
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock ! -name '*.rs' -delete \
    && find . -path '*/src/*.rs' ! -path '*/src/main.rs' ! -path '*/src/lib.rs' -delete \
    && echo 'fn main() {}' > /empty.rs && find . -name '*.rs' -exec cp /empty.rs {} \;

# The dependencies: this layer is rebuilt only when a manifest or the lock file changes.
FROM toolchain AS dependencies
COPY --from=manifests /candlewick .
RUN cargo build --release --locked --workspace --bins

FROM dependencies AS build
COPY . .
# The empty programs are newer than the files that were copied over them.
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --workspace --bins

# A bill of materials for each program, in CycloneDX.
FROM toolchain AS bills
RUN cargo install --locked cargo-cyclonedx@0.5.9
COPY . .
RUN cargo cyclonedx --format json --describe binaries

FROM scratch AS built
COPY --from=build /candlewick/target/*/release/candlewick* /
COPY --from=bills /candlewick/*/*/*_bin.cdx.json /candlewick/cli/*_bin.cdx.json /

FROM scratch AS prebuilt
COPY candlewick* /

FROM ${PROGRAMS} AS programs

# Certificates to trust in addition to the base's.
FROM scratch AS usual
WORKDIR /etc/ssl/certs

FROM scratch AS rds
ADD --chmod=444 https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem /etc/ssl/certs/rds-global-bundle.pem

FROM ${CERTIFICATES} AS certificates

FROM ${BASE} AS image
COPY --from=certificates /etc/ssl/certs/ /etc/ssl/certs/
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.vendor="Candlewick" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
ENV LOG_FORMAT=json
USER 65532:65532
STOPSIGNAL SIGTERM

# A service serves its health to its own container only; another address opens it to others.
FROM image AS service
ENV HEALTH_LISTEN=127.0.0.1:8080

FROM service AS ingest
LABEL org.opencontainers.image.title="candlewick-ingest"
COPY --from=programs /candlewick-ingest /usr/local/bin/
COPY --from=programs /candlewick-ingest_bin* /usr/share/sbom/
HEALTHCHECK --interval=3s --timeout=3s --start-period=15s CMD ["candlewick-ingest", "healthcheck"]
ENTRYPOINT ["candlewick-ingest"]

FROM service AS transform
LABEL org.opencontainers.image.title="candlewick-transform"
COPY --from=programs /candlewick-transform /usr/local/bin/
COPY --from=programs /candlewick-transform_bin* /usr/share/sbom/
HEALTHCHECK --interval=3s --timeout=3s --start-period=15s CMD ["candlewick-transform", "healthcheck"]
ENTRYPOINT ["candlewick-transform"]

FROM service AS loader
LABEL org.opencontainers.image.title="candlewick-loader"
COPY --from=programs /candlewick-loader /usr/local/bin/
COPY --from=programs /candlewick-loader_bin* /usr/share/sbom/
HEALTHCHECK --interval=3s --timeout=3s --start-period=15s CMD ["candlewick-loader", "healthcheck"]
ENTRYPOINT ["candlewick-loader"]

FROM service AS notifier
LABEL org.opencontainers.image.title="candlewick-notifier"
COPY --from=programs /candlewick-notifier /usr/local/bin/
COPY --from=programs /candlewick-notifier_bin* /usr/share/sbom/
HEALTHCHECK --interval=3s --timeout=3s --start-period=15s CMD ["candlewick-notifier", "healthcheck"]
ENTRYPOINT ["candlewick-notifier"]

FROM service AS dashboard
LABEL org.opencontainers.image.title="candlewick-dashboard"
COPY --from=programs /candlewick-dashboard /usr/local/bin/
COPY --from=programs /candlewick-dashboard_bin* /usr/share/sbom/
HEALTHCHECK --interval=3s --timeout=3s --start-period=15s CMD ["candlewick-dashboard", "healthcheck"]
ENTRYPOINT ["candlewick-dashboard"]

FROM image AS simulator
LABEL org.opencontainers.image.title="candlewick-simulator"
COPY --from=programs /candlewick-simulator /usr/local/bin/
COPY --from=programs /candlewick-simulator_bin* /usr/share/sbom/
HEALTHCHECK --interval=3s --timeout=3s --start-period=15s CMD ["candlewick-simulator", "--healthcheck"]
ENTRYPOINT ["candlewick-simulator"]
CMD ["--listen", "0.0.0.0:8460"]

# The operator's command: provision, refresh, status.
FROM image AS candlewick
LABEL org.opencontainers.image.title="candlewick"
COPY --from=programs /candlewick /usr/local/bin/
COPY --from=programs /candlewick_bin* /usr/share/sbom/
ENTRYPOINT ["candlewick"]

# Airflow with the provider, which needs an interpreter and is none of the programs above (docs/airflow.md). Everything that pip
# installs is in the lock, with its hash.
FROM ${PYTHON} AS airflow
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="candlewick-airflow" \
    org.opencontainers.image.vendor="Candlewick" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
WORKDIR /opt/candlewick
COPY integrations/airflow/requirements.txt ./
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation --require-hashes --requirement requirements.txt
COPY integrations/airflow ./
RUN python -m pip install --no-cache-dir --no-index --no-deps --no-build-isolation . \
    && install --directory --owner=65532 --group=65532 --mode=700 /opt/airflow
ENV AIRFLOW_HOME=/opt/airflow HOME=/opt/airflow PYTHONUNBUFFERED=1
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=10s --start-period=120s CMD ["python", "/opt/candlewick/container.py", "healthcheck"]
ENTRYPOINT ["python", "/opt/candlewick/container.py"]
